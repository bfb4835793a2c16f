/// Why a node is not as it should be.
struct NodeFailure: Error, CustomStringConvertible {
  var node: String
  var reason: String

  var description: String { "node/\(node): \(reason)" }

  init(_ node: NodeSpec, _ reason: String) {
    self.node = node.name
    self.reason = reason
  }

  /// What a script said when it ended early: the step, and its last words.
  init(_ node: NodeSpec, _ result: CommandResult) {
    let step = result.output.split(separator: "\n").last { $0.hasPrefix("step ") }.map { $0.dropFirst(5) }
    let ending =
      result.status == SecureShell.noConnection ? "the connection has ended" : "ended with status \(result.status)"
    let words = result.complaint.split(separator: "\n").suffix(3).joined(separator: "; ")
    self.init(
      node, "\(step.map { "\($0): " } ?? "")\(words.isEmpty ? ending : words)")
  }
}
