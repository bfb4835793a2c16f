/// Reboots that updates of the system wait for: never by themselves, one node at a time, and none while the control plane is
/// away: an agent that starts then waits for it and serves nobody.
extension DeployCommand {
  /// The mark of a node that `reboot` has taken out of service: the next run puts it back.
  private static let reason = "reboot"

  func reboot(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    let live = try await requireServer(file, before: "rebooted")
    let survey = try await looker(file).glance(file.nodes)
    for failure in survey.failures { context.complain("x \(failure)") }
    let begun = Set(live.filter { Self.drainedFor($0) == Self.reason }.map(\.name))
    // A control node serves nobody: it goes first, and what a new kernel breaks stops there.
    let due = (file.controls + file.nodes.filter { $0.role == .edge }).filter {
      survey.facts[$0.name]?.needsReboot == true || begun.contains($0.name)
    }
    if due.isEmpty {
      context.say("no node waits for a reboot")
      return survey.failures.isEmpty ? 0 : 1
    }
    for node in due {
      let isRebooted = survey.facts[node.name]?.needsReboot != true
      context.say(
        "! node/\(node.name) \(isRebooted ? "has been taken out by an earlier run: back into service" : "reboots")")
    }
    try confirm("reboot them, one after the other?", arguments)
    try await locked {
      for node in due { try await reboot(node, file, arguments) }
    }
    context.say(survey.failures.isEmpty ? "no node waits for a reboot any more" : "all others are done")
    return survey.failures.isEmpty ? 0 : 1
  }

  private func reboot(_ node: NodeSpec, _ file: ClusterFile, _ arguments: DeployArguments) async throws {
    let live = try await requireServer(file, before: "rebooted", also: node)
    let facts = try await looker(file).facts(node)
    // The only node has nowhere to move anything to.
    let moves = file.nodes.count > 1 && node.role != .control
    let wasDrained = live.contains { $0.name == node.name && Self.drainedFor($0) == "true" }
    if facts.needsReboot {
      if moves, !wasDrained { try await drain(node, reason: Self.reason, seconds: arguments.timeout) }
      // The words come first: the connection ends with the machine.
      let script = ShellText.head + "echo rebooting\nsystemctl --no-block reboot\n" + ShellText.tail
      let result = try await SecureShell(context: context).run({ script }, on: node)
      guard result.output == "rebooting\n", result.status == 0 || result.status == SecureShell.noConnection else {
        throw NodeFailure(node, result)
      }
    }
    // The kubelet tells which start of the machine it belongs to: a node that looks ready may be the one from before.
    try await waitForNode(node, timeout: arguments.timeout) { object in
      let start = object.value.at("status", "nodeInfo", "bootID")?.string
      return (start == facts.bootID) == facts.needsReboot ? "has not started again" : nil
    }
    if node.role != .control, !wasDrained {
      if moves { try await kubectl.uncordon(node.name) }
      if !arguments.flags.contains("--no-verify") { try await prove(node, file, arguments) }
      if moves { try await undrain(node) }
    }
    context.say("node/\(node.name): rebooted")
  }

  /// Asks nodes, and needs no secret for it.
  func looker(_ file: ClusterFile) -> NodeOperator {
    NodeOperator(file: file, context: context, credentials: nil, digest: { _ in nil })
  }

  static func drainedFor(_ node: KubernetesObject) -> String? {
    node.value.at("metadata", "labels")?[Self.mark]?.string
  }

  /// The freeze: nothing is taken down while the API server or a control node is away.
  ///
  /// - Parameters:
  ///   - node: with it, every other node has to be ready as well, but for those that somebody has drained.
  /// - Returns: the nodes of the cluster.
  func requireServer(_ file: ClusterFile, before verb: String, also node: NodeSpec? = nil) async throws
    -> [KubernetesObject]
  {
    let live: [KubernetesObject]
    do {
      live = try await kubectl.get("nodes", namespace: nil)
    } catch let error as KubectlError {
      throw Failure(
        "no node is \(verb) while the API server does not answer; what runs goes on, and a node that starts now would not "
          + "come back into service:\n  \(error)")
    }
    let away = live.first { object in
      guard object.name != node?.name, !Self.isReady(object) else { return false }
      let isControl = file.controls.contains { $0.name == object.name }
      return isControl || node != nil && Self.drainedFor(object) != "true"
    }
    if let away {
      throw Failure("no node is \(verb) while \(away.name) is not ready: mend that and run the same command again")
    }
    return live
  }

  /// Until the node is ready and `isPending` has nothing to say. The API server may be away meanwhile: the node may be its own.
  func waitForNode(_ node: NodeSpec, timeout: Int, _ isPending: (KubernetesObject) -> String?) async throws {
    try await Wait(
      context: context, name: node.name, deadline: timeout,
      advice: "mend that and run the same command again, it goes on from here"
    ).until {
      let live: [KubernetesObject]
      do {
        live = try await kubectl.get("nodes", namespace: nil)
      } catch is KubectlError {
        return .pending("the API server does not answer")
      }
      guard let object = live.first(where: { $0.name == node.name }) else { return .pending("not in the cluster") }
      if let reason = isPending(object) { return .pending(reason) }
      return Self.isReady(object) ? .done : .pending("not ready")
    }
  }
}
