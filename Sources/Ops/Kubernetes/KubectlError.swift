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

  private var hint: String? {
    if complaint.contains("connection refused") || complaint.contains("no configuration has been provided")
      || complaint.contains("Unable to connect")
    {
      return "KUBECONFIG names the cluster; kubectl get nodes has to work first"
    }
    if complaint.contains("forbidden") { return "deploy needs the rights of a cluster administrator" }
    return nil
  }
}
