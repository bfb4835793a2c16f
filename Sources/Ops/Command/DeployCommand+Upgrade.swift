/// Nodes out of service, back into it, and to another k3s.
extension DeployCommand {
  /// The mark of a node that is out of service on purpose.
  static let mark = "bashupload.app/drained"
  /// Of a node that `upgrade` has taken out of service: the next run puts it back.
  private static let reason = "upgrade"

  private func node(_ arguments: DeployArguments, _ file: ClusterFile) throws -> NodeSpec {
    let name = arguments.operand ?? ""
    guard let node = file.nodes.first(where: { $0.name == name }) else {
      throw Failure("no node \"\(name)\": \(Spelling.hint(name, of: file.nodes.map(\.name)))")
    }
    return node
  }

  func drain(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    let node = try node(arguments, file)
    try await drain(node, seconds: arguments.timeout)
    context.say("\(node.name): out of service; bashupload deploy undrain \(node.name) puts it back")
    if file.dns != nil {
      context.say(
        "its addresses are still in the DNS: records are not managed yet by this version, take them out yourself")
    }
    return 0
  }

  func undrain(_ arguments: DeployArguments) async throws -> Int32 {
    let node = try node(arguments, try clusterFile(arguments))
    try await undrain(node)
    context.say("\(node.name): in service")
    return 0
  }

  /// - Parameter reason: the value of the mark; `true`: somebody wants it so, and nothing else puts it back.
  func drain(_ node: NodeSpec, reason: String = "true", seconds: Int) async throws {
    // The mark first: whoever is interrupted here finds it again.
    try await kubectl.label(node.name, ["\(Self.mark)=\(reason)"])
    try await kubectl.cordon(node.name)
    // In parts: the lock does not grow too old meanwhile.
    let end = context.uptime() + seconds
    while true {
      try await DeployLock.held?.renew()
      let left = end - context.uptime()
      do {
        return try await kubectl.drain(node.name, seconds: min(left, Self.part))
      } catch let error as KubectlError where left > Self.part && error.complaint.contains("global timeout reached") {}
    }
  }

  /// Seconds.
  private static let part = 600

  func undrain(_ node: NodeSpec) async throws {
    try await kubectl.uncordon(node.name)
    try await kubectl.label(node.name, ["\(Self.mark)-"])
  }

  func upgrade(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    let objects = try await requireServer(file, before: "upgraded")
    let versions = Dictionary(
      objects.map { ($0.name, $0.value.at("status", "nodeInfo", "kubeletVersion")?.string ?? "") }
    ) { $1 }
    let plan = try UpgradePlan(file, versions: versions)
    let begun = Set(objects.filter { Self.drainedFor($0) == Self.reason }.map(\.name))
    let left = file.nodes.filter { node in
      begun.contains(node.name) && !plan.nodes.contains { $0.name == node.name }
    }
    if plan.nodes.isEmpty, left.isEmpty {
      context.say("every node has \(plan.target)")
      return 0
    }
    for node in left {
      context.say("! node/\(node.name) has been taken out by an earlier run: back into service")
    }
    for node in plan.nodes { context.say("~ node/\(node.name) \(versions[node.name] ?? "") -> \(plan.target)") }
    try confirm("upgrade them, one after the other?", arguments)
    try await locked {
      for node in left { try await comeBack(node, file, arguments) }
      if !plan.nodes.isEmpty { try await snapshot(file) }
      for node in plan.nodes {
        // The control node that the last round has upgraded may not have come back.
        _ = try await requireServer(file, before: "upgraded")
        try await upgrade(node, to: plan.target, file, arguments)
      }
    }
    context.say("every node has \(plan.target)")
    return 0
  }

  /// Before anything is changed: the way back is this state with the old binary.
  private func snapshot(_ file: ClusterFile) async throws {
    guard file.kubernetes.datastore == .etcd, let first = file.controls.first else {
      return context.say(
        "sqlite makes no snapshots while it runs: bashupload deploy backup before an upgrade is the way back")
    }
    let script = ShellText.head + "k3s etcd-snapshot save --name before-upgrade >/dev/null\n" + ShellText.tail
    let result = try await SecureShell(context: context).run({ script }, on: first, deadline: 300)
    if result.status != 0 { throw NodeFailure(first, result) }
    context.say("node/\(first.name): a snapshot is taken")
  }

  func upgrade(_ node: NodeSpec, to target: K3sVersion, _ file: ClusterFile, _ arguments: DeployArguments)
    async throws
  {
    // The only node has nowhere to move anything to.
    let moves = file.nodes.count > 1 && node.role != .control
    // What somebody has taken out stays out.
    let wasDrained = try await kubectl.get("nodes", namespace: nil).contains {
      $0.name == node.name && Self.drainedFor($0) == "true"
    }
    if moves, !wasDrained { try await drain(node, reason: Self.reason, seconds: arguments.timeout) }
    var worker = try await nodeOperator(file)
    worker.isUpgrade = true
    let after = try await worker.execute([node], try await worker.survey([node]))
    if let failure = after.failures.first(where: { $0.node == node.name }) {
      throw Failure("\(failure); the nodes after it have been left alone: mend that and run upgrade again")
    }
    try await waitForNode(node, timeout: arguments.timeout) { object in
      let version = object.value.at("status", "nodeInfo", "kubeletVersion")?.string ?? ""
      return version == target.description ? nil : "still \(version)"
    }
    if !wasDrained { try await comeBack(node, file, arguments) }
    context.say("node/\(node.name): \(target)")
  }

  /// Back into service when it serves.
  private func comeBack(_ node: NodeSpec, _ file: ClusterFile, _ arguments: DeployArguments) async throws {
    if node.role == .control { return }
    if !arguments.flags.contains("--no-verify") { try await prove(node, file, arguments) }
    if file.nodes.count > 1 { try await undrain(node) }
  }

  /// One edge has to serve before the next is touched.
  func prove(_ node: NodeSpec, _ file: ClusterFile, _ arguments: DeployArguments) async throws {
    let verifier = try await verifier(file)
    let other = verifier.partner(of: node, away: await verifier.away())
    try await Wait(
      context: context, name: "\(node.name) serves", deadline: min(120, arguments.timeout),
      advice: "mend that and run the same command again, it goes on from here"
    ).until {
      let check = await verifier.through(node, and: other)
      return check.isGood ? .done : .pending(check.text)
    }
  }
}
