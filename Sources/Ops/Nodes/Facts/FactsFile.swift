/// The file of `--facts`: what only the nodes know, for a render that asks nobody.
///
///     nodes:
///       edge-1: { publicKey: "…=", interface: eth1 }
package enum FactsFile {
  /// Reads it strictly; every problem has its line.
  /// - Parameters:
  ///   - file: its name, for messages.
  ///   - names: the nodes of the cluster file.
  package static func parse(_ text: String, file: String, nodes names: [String]) throws(ClusterFileProblems)
    -> KnownFacts
  {
    let (root, formProblems) = DocumentParser.parse(text)
    var problems = formProblems
    var facts = KnownFacts()
    for section in entries(root, path: "", into: &problems) {
      guard section.key == "nodes" else {
        problems.append(Problem(section.position, section.key, "is unknown; known here: nodes"))
        continue
      }
      for node in entries(section.value, path: "nodes", into: &problems) {
        let path = "nodes.\(node.key)"
        if !names.contains(node.key) {
          problems.append(Problem(node.position, path, "is no node of the cluster file"))
        }
        var known = KnownFacts.Node()
        for entry in entries(node.value, path: path, into: &problems) {
          set(entry, path: "\(path).\(entry.key)", &known, &problems)
        }
        facts.nodes[node.key] = known
      }
    }
    if !problems.isEmpty { throw ClusterFileProblems(file: file, problems: problems) }
    return facts
  }

  private static func entries(_ node: DocumentNode?, path: String, into problems: inout [Problem])
    -> [DocumentNode.Entry]
  {
    guard let node else { return [] }
    if case .mapping(let entries, _) = node { return entries }
    problems.append(Problem(node.position, path, "is \(node.noun): write a section"))
    return []
  }

  private static func set(
    _ entry: DocumentNode.Entry, path: String, _ known: inout KnownFacts.Node, _ problems: inout [Problem]
  ) {
    guard case .scalar(let text, _, let position) = entry.value else {
      return problems.append(Problem(entry.value.position, path, "is \(entry.value.noun): write a single value"))
    }
    switch entry.key {
    case "publicKey" where isPublicKey(text): known.publicKey = text
    case "interface" where isInterface(text): known.interface = text
    case "publicKey":
      problems.append(Problem(position, path, "is not a WireGuard public key: 43 characters of Base64 and ="))
    case "interface":
      problems.append(
        Problem(position, path, "\"\(text)\" is not an interface: at most 15 letters, digits, . _ and -"))
    default: problems.append(Problem(entry.position, path, "is unknown; known here: publicKey, interface"))
    }
  }

  /// Also of what a node says: it goes into the files of other nodes.
  static func isPublicKey(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 44 && text.hasSuffix("=")
      && text.utf8.dropLast().allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2B
          || $0 == 0x2F
      }
  }

  static func isInterface(_ text: some StringProtocol) -> Bool {
    (1...15).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || [0x2D, 0x2E, 0x5F].contains($0)
      } && !text.hasPrefix("-") && !text.hasPrefix(".")
  }
}
