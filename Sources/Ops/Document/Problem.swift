/// Something that is wrong in the cluster file: where, which key, and what to write instead.
package struct Problem: Hashable, Sendable {
  package var position: Position
  /// The key, such as `policy.maxAge` or `nodes[2].address`; empty for the file itself.
  package var path: String
  package var message: String

  package init(_ position: Position, _ path: String, _ message: String) {
    self.position = position
    self.path = path
    self.message = message
  }

  /// `file:line:column: key: message`, as compilers say it, so that editors can jump there.
  package func line(in file: String) -> String {
    "\(file):\(position): \(path.isEmpty ? "" : path + ": ")\(message)"
  }
}

/// Everything that is wrong with a cluster file, in the order of the file.
package struct ClusterFileProblems: Error, CustomStringConvertible {
  package var file: String
  package var problems: [Problem]

  package var description: String {
    problems.map { $0.line(in: file) }.joined(separator: "\n")
  }
}
