import FoundationEssentials

/// The nodes' part of plan and apply.
extension DeployCommand {
  /// How far the nodes are.
  struct NodesOutcome {
    var plans: [NodePlan] = []
    var failures: [NodeFailure] = []
    /// The cluster does not run yet, so there is nothing to compare with.
    var isBeforeTheCluster = false

    var isEmpty: Bool { plans.allSatisfy(\.isEmpty) }

    var counts: String {
      let changed = plans.filter { !$0.isEmpty }.count
      return "nodes: \(changed) to change, \(plans.count - changed) unchanged"
        + (failures.isEmpty ? "" : ", \(failures.count) failed")
    }

    var notes: [String] = []
    /// Digests of the administrator's kubeconfigs, by the name of the control node that has it.
    var kubeconfigs: [String: String] = [:]

    var lines: [String] {
      plans.flatMap(\.lines) + notes.map { "note: \($0)" } + failures.map { "x \($0)" } + [counts]
    }

    var json: JSONValue {
      ["plans": .array(plans.map(\.json)), "failures": .array(failures.map { .string($0.description) })]
    }
  }

  func nodeOperator(_ file: ClusterFile) async throws -> NodeOperator {
    NodeOperator(
      file: file, context: context, credentials: try await snapshotCredentials(file),
      digest: { FileDigest.of(file: $0) })
  }

  /// References into the cluster are not followed: on the first day there is none.
  private func snapshotCredentials(_ file: ClusterFile) async throws -> String? {
    guard file.kubernetes.savesToBucket else { return nil }
    let reader = SecretReader(kubectl: kubectl, variables: context.variables)
    var values: [String] = []
    for (key, reference) in [
      ("accessKeyID", file.storage.accessKeyID), ("secretAccessKey", file.storage.secretAccessKey),
    ] {
      if case .kubernetes = reference { return nil }
      guard let encoded = try await reader.value(reference, of: "storage.r2.\(key)"),
        let data = Data(base64Encoded: encoded)
      else {
        throw Failure("storage.r2: \(reference) is not there or empty; the snapshots of etcd need it")
      }
      values.append(String(decoding: data, as: UTF8.self))
    }
    return NodeSecrets.snapshotCredentials(accessKey: values[0], secretKey: values[1])
  }

  private func chosen(_ file: ClusterFile, _ arguments: DeployArguments) throws -> [NodeSpec] {
    guard let name = arguments.part.node else { return file.nodes }
    let nodes = file.nodes.filter { $0.name == name }
    if nodes.isEmpty {
      throw Failure("--only node/\(name): no such node; \(Spelling.hint(name, of: file.nodes.map(\.name)))")
    }
    return nodes
  }

  func planNodes(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> NodesOutcome {
    let file = await present(file)
    return try await look(try chosen(file, arguments), file, arguments).outcome
  }

  /// What would have to be changed; nothing is, and nothing may be when it would take nodes out of a cluster that runs, or make of
  /// it what it cannot become.
  private func look(_ nodes: [NodeSpec], _ file: ClusterFile, _ arguments: DeployArguments) async throws
    -> (outcome: NodesOutcome, survey: NodeSurvey, planner: NodeOperator)
  {
    let planner = try await nodeOperator(file)
    var survey = try await planner.survey(nodes)
    let only = arguments.part.node
    let others = Strangers(file, isKnown ? (try? await kubectl.get("nodes", namespace: nil)) ?? [] : [])
    if let reason = NodeMembership(file, survey).refusal(only: only) ?? AddressFamilies(file, survey).refusal
      ?? MemberAddresses(file, survey).refusal(only: only) ?? others.refusal
    {
      throw Failure(reason)
    }
    let plans = planner.plans(nodes, &survey)
    let first = file.controls.first
    let isRunning = first.flatMap { survey.facts[$0.name]?.units[NodeService.kubernetes.unit(of: $0) ?? ""]?.isActive }
    let names = Set(nodes.map(\.name))
    let outcome = NodesOutcome(
      plans: plans, failures: survey.failures.filter { names.contains($0.node) },
      isBeforeTheCluster: isRunning == false, notes: Advice.access(file) + others.notes)
    return (outcome, survey, planner)
  }

  /// - Returns: the nodes that are not as they should be.
  func applyNodes(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> NodesOutcome {
    try await applyNodes(try chosen(file, arguments), file, arguments)
  }

  func applyNodes(_ nodes: [NodeSpec], _ file: ClusterFile, _ arguments: DeployArguments) async throws -> NodesOutcome {
    var (outcome, survey, planner) = try await look(nodes, file, arguments)
    outcome.kubeconfigs = survey.kubeconfigs
    for line in outcome.lines { context.say(line) }
    if outcome.isEmpty { return outcome }
    try confirm("make these changes on the nodes?", arguments)
    func execute() async throws {
      let planned = nodes.filter { node in outcome.plans.contains { $0.node.name == node.name } }
      let after = try await planner.execute(planned, survey)
      let names = Set(nodes.map(\.name))
      outcome.failures = after.failures.filter { names.contains($0.node) }
      outcome.kubeconfigs = after.kubeconfigs
    }
    // Of several control nodes, two operators could restart two at once. The only one guards itself, and if it did not come back,
    // a lock in it would keep its owner out.
    if file.controls.count == 1 {
      try await execute()
    } else {
      try await lockedIfItAnswers(file) { isTaken in
        // What somebody else has done until now is not known yet.
        if isTaken { (outcome, survey, planner) = try await look(nodes, file, arguments) }
        try await execute()
      }
    }
    return outcome
  }
}
