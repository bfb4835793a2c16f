/// What k3s says on a node of itself: why it does not join is known there and nowhere else.
struct NodeJournal: Sendable {
  let context: DeployContext

  /// etcd knows another machine by this name.
  static func isOfAnotherMember(_ line: String) -> Bool { line.contains("duplicate node name found") }

  /// The last lines since its service has started. Asking may fail as well: then that is a line.
  func lines(of node: NodeSpec) async -> [String] {
    let unit = NodeService.kubernetes.unit(of: node) ?? ""
    let script =
      ShellText.head
      + "journalctl --quiet --no-pager --output=cat --boot --lines=10 --unit=\(unit) 2>/dev/null\n" + ShellText.tail
    do {
      return try await SecureShell(context: context).run({ script }, on: node, tries: 1).output
        .split(separator: "\n").map { String($0.prefix(300)) }
    } catch {
      return ["\(error)"]
    }
  }
}
