import FoundationEssentials

/// From servers that are ready to a cluster that kubectl reaches.
extension DeployCommand {
  /// Where the cluster's own kubeconfig is kept when nobody has named another.
  private func kubeconfigPath(_ file: ClusterFile) -> String? {
    guard context.variables["KUBECONFIG"] == nil, let home = context.variables["HOME"] else { return nil }
    return "\(home)/.kube/bashupload-\(file.cluster)"
  }

  /// This command with a kubectl that reaches the cluster of the file, when an earlier apply has kept its kubeconfig. A kubectl
  /// without it could reach some other cluster.
  func withKubeconfig(_ file: ClusterFile) -> DeployCommand {
    guard let path = kubeconfigPath(file), FileManager.default.fileExists(atPath: path) else { return self }
    var context = context
    context.variables["KUBECONFIG"] = path
    context.runner = EnvironmentCommandRunner(context.runner, of: "kubectl", environment: ["KUBECONFIG": path])
    return DeployCommand(context)
  }

  /// Keeps the administrator's kubeconfig of the first control node, for its owner alone. Not when KUBECONFIG names one.
  func keepKubeconfig(_ file: ClusterFile) async throws {
    guard let path = kubeconfigPath(file), let first = file.controls.first,
      !FileManager.default.fileExists(atPath: path)
    else { return }
    let source = "/etc/rancher/k3s/k3s.yaml"
    let script = ShellText.head + "base64 -w 0 \(source)\n" + ShellText.tail
    let result = try await SecureShell(context: context).run({ script }, on: first)
    guard result.status == 0, let data = Data(base64Encoded: result.output.split(separator: "\n").joined()) else {
      throw NodeFailure(first, "\(source) could not be read: \(SecureShell.reason(result))")
    }
    let text = String(decoding: data, as: UTF8.self).replacing(
      "https://127.0.0.1:6443", with: "https://\(first.address.inURL):6443")
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw Failure("\(path) cannot be written") }
    context.say("\(path): the administrator's kubeconfig; export KUBECONFIG=\(path) for a kubectl of your own")
  }

  /// Waits until the nodes have joined, and makes their labels what the file says: k3s itself sets them only once.
  func settleNodes(_ file: ClusterFile, without failed: Set<String>, timeout: Int) async throws {
    let wanted = file.nodes.filter { !failed.contains($0.name) }
    var live: [KubernetesObject] = []
    try await Wait(context: context, name: "nodes", deadline: timeout).until {
      live = try await kubectl.get("nodes", namespace: nil)
      let waiting = wanted.filter { node in
        live.first { $0.name == node.name }.map { !Self.isReady($0) } ?? true
      }
      return waiting.isEmpty ? .done : .pending("\(waiting.map(\.name).joined(separator: ", ")) not ready")
    }
    for node in wanted {
      let labels = live.first { $0.name == node.name }?.value.at("metadata", "labels")
      let wrong = NodeLabels(node).all.filter { labels?[$0.key]?.string != $0.value }
      try await kubectl.label(node.name, wrong.map { "\($0.key)=\($0.value)" })
    }
  }

  static func isReady(_ node: KubernetesObject) -> Bool {
    node.value.at("status", "conditions")?.array.contains {
      $0["type"]?.string == "Ready" && $0["status"]?.string == "True"
    } == true
  }
}
