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
    context.say(
      "bashupload deploy backup --output DIR keeps the tokens: without them no snapshot of this cluster can be read")
  }

  /// Waits until the nodes have joined, and makes their labels and taints what the file says.
  func settleNodes(_ file: ClusterFile, without failed: Set<String>, timeout: Int) async throws {
    let wanted = file.nodes.filter { !failed.contains($0.name) }
    var live: [KubernetesObject] = []
    var waiting: [NodeSpec] = []
    var asked = context.uptime()
    do {
      try await Wait(context: context, name: "nodes", deadline: timeout).until {
        live = try await kubectl.get("nodes", namespace: nil)
        waiting = wanted.filter { node in live.first { $0.name == node.name }.map { !Self.isReady($0) } ?? true }
        if waiting.isEmpty { return .done }
        if context.uptime() - asked >= 30 {
          asked = context.uptime()
          for node in waiting { try await readmit(node) }
        }
        return .pending("\(waiting.map(\.name).joined(separator: ", ")) not ready")
      }
    } catch let failure as Wait.Failure {
      for node in waiting {
        for line in await NodeJournal(context: context).lines(of: node) {
          context.complain("node/\(node.name) | \(line)")
        }
      }
      throw Failure("\(failure); mend the reason above and run apply again, it goes on from here")
    }
    for registration in registrations(of: wanted, file, live) {
      try await kubectl.label(registration.node, registration.labels)
      try await kubectl.taint(registration.node, registration.taints)
      if let value = registration.registered {
        try await kubectl.annotate(registration.node, ["\(NodeRegistration.annotation)=\(value)"])
      }
    }
  }

  /// What of labels and taints is not as the file says, of the nodes that are in the cluster.
  func registrations(of nodes: [NodeSpec], _ file: ClusterFile, _ live: [KubernetesObject]) -> [NodeRegistration] {
    nodes.compactMap { node in
      live.first { $0.name == node.name }.map { NodeRegistration(node, of: file, live: $0) }
    }
  }

  /// A machine that was built anew has a new password, and k3s lets nobody in under a name that has another one. The file says
  /// that this machine has the name, and ssh knows it by its key: the old password is forgotten.
  private func readmit(_ node: NodeSpec) async throws {
    let journal = await NodeJournal(context: context).lines(of: node)
    // Of a control node etcd remembers the old machine as well; k3s takes it out of there when its Node goes.
    if node.role != .edge, journal.contains(where: NodeJournal.isOfAnotherMember) {
      context.say("node/\(node.name): a control node of this name has been here before, it is no member any more")
      return try await kubectl.delete([
        KubernetesObject(["apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(node.name)]])
      ])
    }
    guard journal.contains(where: { $0.contains("Node password rejected") }) else { return }
    context.say("node/\(node.name): a machine of this name has been here before, its password is forgotten")
    try await kubectl.delete([
      KubernetesObject([
        "apiVersion": "v1", "kind": "Secret",
        "metadata": ["name": .string("\(node.name).node-password.k3s"), "namespace": "kube-system"],
      ])
    ])
  }

  static func isReady(_ node: KubernetesObject) -> Bool {
    node.value.at("status", "conditions")?.array.contains {
      $0["type"]?.string == "Ready" && $0["status"]?.string == "True"
    } == true
  }
}
