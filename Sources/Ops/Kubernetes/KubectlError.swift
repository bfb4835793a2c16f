/// What kubectl said when it failed.
package struct KubectlError: Error, CustomStringConvertible {
  package var doing: String
  package var complaint: String

  init(_ result: CommandResult, _ doing: String) {
    self.doing = doing
    complaint = result.complaint.isEmpty ? "exit status \(result.status)" : result.complaint
  }

  package var description: String {
    let lines = complaint.split(separator: "\n").filter { !$0.contains("memcache.go") }.prefix(12).joined(
      separator: "\n  ")
    return "kubectl could not \(doing):\n  \(lines)\(hint.map { "\n  \($0)" } ?? "")"
  }

  /// On one line, for a wait that goes on.
  var brief: String {
    let line = complaint.split(separator: "\n").first { !$0.contains("memcache.go") }
    return "kubectl could not \(doing): \(line ?? "no answer")"
  }

  /// What kubectl says when it does not get to a server at all, or to the wrong one.
  private static let unreachable = [
    "connection refused", "was refused - did you specify the right host or port", "no configuration has been provided",
    "Unable to connect",
  ]

  private var hint: String? {
    if Self.unreachable.contains(where: { complaint.contains($0) }) {
      return "KUBECONFIG names the cluster; kubectl get nodes has to work first"
    }
    if complaint.contains("forbidden") { return "deploy needs the rights of a cluster administrator" }
    return nil
  }
}
