/// A k3s that is brought and not started.
extension NodeOperator {
  /// Stops k3s on a node and brings the one of the file there, with its settings.
  func install(on node: NodeSpec) async throws {
    let survey = try await glance([node])
    if let failure = survey.failures.first { throw failure }
    let plan = try plan(node, survey)
    if let binary = plan.binary, case .file(let path) = binary.source {
      try await shell.copy(path, to: NodeScript.staged(binary), on: node)
    }
    let script = NodeScript(plan: plan, id: "", revertAfter: 0).installation
    let result = try await shell.run({ script }, on: node, deadline: Self.patience)
    guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(node, result) }
  }
}
