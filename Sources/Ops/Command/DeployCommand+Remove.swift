/// A node that has left the file: out of service, out of the cluster, out of the firewalls of the others, and without k3s.
extension DeployCommand {
  func remove(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    try await kubectl.requireOwn(file)
    let name = arguments.operand ?? ""
    if file.nodes.contains(where: { $0.name == name }) {
      throw Failure("\(name) is in \(arguments.file): take it out of the file first, then run this again")
    }
    let live = try await kubectl.get("nodes", namespace: nil)
    guard let object = live.first(where: { $0.name == name }) else {
      throw Failure("no node \"\(name)\" in the cluster: \(Spelling.hint(name, of: live.map(\.name)))")
    }
    guard let node = Self.spec(of: object, in: file) else {
      throw Failure(
        "\(name) has no address in the cluster: kubectl delete node \(name) takes it out, and stop k3s on it")
    }
    context.say(
      "- node/\(name) at \(node.address): its pods end, it leaves the cluster, and k3s and its containers stop on it")
    try confirm("remove it?", arguments)
    var failure: String?
    try await locked {
      if Self.isReady(object) { try await empty(node, arguments) }
      // An agent that still runs would register again when it starts anew. A member of etcd goes first: etcd waits for nobody
      // then.
      if node.role == .edge { failure = try await end(node) }
      try await kubectl.delete([object])
      try await kubectl.delete([
        KubernetesObject([
          "apiVersion": "v1", "kind": "Secret",
          "metadata": ["name": .string("\(name).node-password.k3s"), "namespace": "kube-system"],
        ])
      ])
      context.say("node/\(name): out of the cluster")
      if node.role != .edge { failure = try await end(node) }
    }
    // Their firewalls and meshes know it no more.
    let others = try await applyNodes(file.nodes, file, Self.answered(arguments))
    if let failure {
      throw Failure(
        "\(failure); it is out of the cluster, and k3s may still run on it: there, systemctl disable --now k3s k3s-agent, and a "
          + "reboot ends the containers")
    }
    if !others.failures.isEmpty {
      let names = Set(others.failures.map(\.node)).sorted().joined(separator: ", ")
      throw Failure("\(name) is out; the firewalls of \(names) still admit it: fix that and run apply")
    }
    context.say("\(name) is out; bashupload deploy rotate agents makes the token that it had worthless")
    if file.dns != nil {
      context.say(
        "its addresses may still be in the DNS: records are not managed yet by this version, take them out yourself")
    }
    return 0
  }

  /// - Returns: why it could not be told; the rest is done all the same.
  private func end(_ node: NodeSpec) async throws -> String? {
    do {
      let result = try await SecureShell(context: context).run({ Self.ending }, on: node, deadline: 300)
      if result.status != 0 { throw NodeFailure(node, result) }
      context.say("node/\(node.name): k3s and its containers have stopped")
      return nil
    } catch let error as NodeFailure {
      return error.description
    }
  }

  /// The question has been answered.
  private static func answered(_ arguments: DeployArguments) -> DeployArguments {
    var arguments = arguments
    arguments.flags.insert("--yes")
    return arguments
  }

  /// Its transfers end first: the pod goes with the label, and has its whole grace.
  private func empty(_ node: NodeSpec, _ arguments: DeployArguments) async throws {
    try await kubectl.label(node.name, ["\(Self.mark)=remove", "bashupload.app/role-"])
    try await kubectl.cordon(node.name)
    try await Wait(
      context: context, name: "\(node.name) is empty", deadline: arguments.timeout,
      advice: "run the same command again, it goes on from here"
    ).until {
      let pods = try await Rollout.pods(kubectl).filter { $0.node == node.name }
      return pods.isEmpty ? .done : .pending("transfers are ending")
    }
    try await kubectl.drain(node.name, seconds: arguments.timeout)
  }

  /// The file does not know it any more: its address is the one that the cluster has, and ssh logs in as everywhere.
  private static func spec(of object: KubernetesObject, in file: ClusterFile) -> NodeSpec? {
    let all = object.value.at("status", "addresses")?.array ?? []
    let addresses = ["ExternalIP", "InternalIP"].flatMap { type in
      all.filter { $0["type"]?.string == type }.compactMap { $0["address"]?.string.flatMap { IPAddress($0) } }
    }
    guard var node = file.nodes.first, let address = addresses.first(where: { !$0.isV6 }) ?? addresses.first else {
      return nil
    }
    let labels = object.value.at("metadata", "labels")?.members ?? [:]
    let isControl = ["control-plane", "etcd"].contains { labels["node-role.kubernetes.io/\($0)"] != nil }
    node.name = object.name
    node.role = isControl ? .control : .edge
    node.address = address
    (node.listedAddress, node.address6, node.privateAddress, node.meshAddress) = (nil, nil, nil, nil)
    (node.ssh, node.jumpHost) = (file.access.ssh, file.access.jumpHost)
    return node
  }

  /// Containers outlive k3s, and would go on serving with the credentials of the bucket. The tokens go, so that it joins nothing.
  static let ending =
    ShellText.head + #"""
      for unit in k3s.service k3s-agent.service bashupload-address.timer keepalived.service wg-quick@wg-bashupload.service; do
        if systemctl cat "$unit" >/dev/null 2>&1; then systemctl disable --now "$unit" >/dev/null 2>&1; fi
      done
      family() {
        echo "$1"
        for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do family "$child"; done
      }
      for each in /proc/[0-9]*; do
        words=$(tr '\0' ' ' <"$each/cmdline" 2>/dev/null)
        case $words in
          */rancher/k3s/data/*/bin/containerd-shim*) kill -9 $(family "${each#/proc/}") 2>/dev/null ;;
        esac
      done
      rm -f /etc/rancher/k3s/token /etc/rancher/k3s/agent-token /etc/rancher/k3s/config.yaml.d/50-snapshots.yaml
      rm -rf /var/lib/rancher/k3s/server/token /var/lib/rancher/k3s/server/agent-token
      for unit in k3s.service k3s-agent.service; do
        if systemctl is-active --quiet "$unit"; then echo "$unit still runs" >&2; exit 1; fi
      done
      echo end

      """# + ShellText.tail
}
