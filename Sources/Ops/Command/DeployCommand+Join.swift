import FoundationEssentials

/// From servers that are ready to a cluster that kubectl reaches.
extension DeployCommand {
  /// Where the cluster's own kubeconfig is kept when nobody has named another.
  private func kubeconfigPath(_ file: ClusterFile) -> String? {
    guard let home = context.variables["HOME"] else { return nil }
    let path = "\(home)/.kube/bashupload-\(file.cluster)"
    return context.variables["KUBECONFIG"].map { $0 == path } == false ? nil : path
  }

  /// This command with a kubectl that reaches the cluster of the file, when an earlier apply has kept its kubeconfig. A kubectl
  /// without it could reach some other cluster.
  func withKubeconfig(_ file: ClusterFile) -> DeployCommand {
    guard !isKnown, let path = kubeconfigPath(file), FileManager.default.fileExists(atPath: path) else { return self }
    var context = context
    context.variables["KUBECONFIG"] = path
    context.runner = ControlPlaneCommandRunner(
      context.runner, kubeconfig: path, servers: file.controls.map { Self.server($0) })
    return DeployCommand(context)
  }

  private static func server(_ control: NodeSpec) -> String { "https://\(control.address.inURL):6443" }

  /// Keeps the administrator's kubeconfig of a control node, for its owner alone. Not when KUBECONFIG names another. It is taken
  /// again when k3s has made a new one: its certificate lives a year.
  /// - Parameter digests: of those on the nodes, by name.
  func keepKubeconfig(_ file: ClusterFile, _ digests: [String: String]) async throws {
    guard let path = kubeconfigPath(file) else { return }
    // The last line: a file that was written in part does not have it.
    func mark(_ control: NodeSpec, _ digest: String) -> String {
      "# \(control.name), \(Self.server(control)), \(digest)"
    }
    let kept = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    let there = file.controls.filter { digests[$0.name] != nil }
    if let kept, there.isEmpty || there.contains(where: { kept.hasSuffix("\n\(mark($0, digests[$0.name] ?? ""))\n") }) {
      return
    }
    guard let source = there.first ?? file.controls.first else { return }
    let script = ShellText.head + "base64 -w 0 \(FactsScript.kubeconfig)\n" + ShellText.tail
    let result = try await SecureShell(context: context).run({ script }, on: source)
    guard result.status == 0, let data = Data(base64Encoded: result.output.split(separator: "\n").joined()) else {
      throw NodeFailure(source, "\(FactsScript.kubeconfig) could not be read: \(SecureShell.reason(result))")
    }
    let text = String(decoding: data, as: UTF8.self).replacing("https://127.0.0.1:6443", with: Self.server(source))
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let whole = "\(text)\n\(mark(source, FileDigest.of(Array(data))))\n"
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(whole.utf8), attributes: [.posixPermissions: 0o600])
    else { throw Failure("\(path) cannot be written") }
    if kept != nil { return context.say("\(path): the kubeconfig of \(source.name) as it is now") }
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
