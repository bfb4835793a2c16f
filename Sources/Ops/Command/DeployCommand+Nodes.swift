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
    for reference in [file.storage.accessKeyID, file.storage.secretAccessKey] {
      if case .kubernetes = reference { return nil }
      guard let encoded = try await reader.value(reference), let data = Data(base64Encoded: encoded) else {
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
    let nodes = try chosen(file, arguments)
    let planner = try await nodeOperator(file)
    var survey = try await planner.survey(nodes)
    try refuse(file, survey, arguments)
    return outcome(nodes, planner, &survey, file)
  }

  private func outcome(
    _ nodes: [NodeSpec], _ planner: NodeOperator, _ survey: inout NodeSurvey, _ file: ClusterFile
  ) -> NodesOutcome {
    let plans = planner.plans(nodes, &survey)
    let first = file.controls.first
    let isRunning = first.flatMap { survey.facts[$0.name]?.units[NodeService.kubernetes.unit(of: $0) ?? ""]?.isActive }
    let names = Set(nodes.map(\.name))
    return NodesOutcome(
      plans: plans, failures: survey.failures.filter { names.contains($0.node) },
      isBeforeTheCluster: isRunning == false, notes: Advice.access(file))
  }

  /// What would take nodes out of a cluster that runs, or what such a cluster cannot become: nothing is changed anywhere then.
  private func refuse(_ file: ClusterFile, _ survey: NodeSurvey, _ arguments: DeployArguments) throws {
    let membership = NodeMembership(file, survey)
    if let reason = membership.refusal(only: arguments.part.node) ?? AddressFamilies(file, survey).refusal {
      throw Failure(reason)
    }
  }

  /// - Returns: the nodes that are not as they should be.
  func applyNodes(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> NodesOutcome {
    try await applyNodes(try chosen(file, arguments), file, arguments)
  }

  func applyNodes(_ nodes: [NodeSpec], _ file: ClusterFile, _ arguments: DeployArguments) async throws -> NodesOutcome {
    let planner = try await nodeOperator(file)
    var survey = try await planner.survey(nodes)
    try refuse(file, survey, arguments)
    var outcome = outcome(nodes, planner, &survey, file)
    for line in outcome.lines { context.say(line) }
    if outcome.isEmpty { return outcome }
    try confirm("make these changes on the nodes?", arguments)
    let names = Set(nodes.map(\.name))
    let after = try await planner.execute(
      nodes.filter { node in outcome.plans.contains { $0.node.name == node.name } }, survey)
    outcome.failures = after.failures.filter { names.contains($0.node) }
    return outcome
  }
}
