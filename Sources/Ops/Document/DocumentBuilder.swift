import Yams

/// The second half of `DocumentParser`: nodes of Yams to ours, and the masked keys to problems.
struct DocumentBuilder {
  /// What stood where a mask stands now.
  let hidden: [UInt32: String]
  private(set) var problems: [Problem] = []

  init(hidden: [UInt32: String]) {
    self.hidden = hidden
  }

  /// - Parameter after: where what holds it begins. A value that begins before that stands for an alias: Yams has put in its
  ///   place what the anchor names.
  mutating func node(_ node: Node, path: String, after: Position = Position(line: 1, column: 1)) -> DocumentNode {
    let position = Position(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    if position < after {
      problems.append(Problem(after, path, "aliases are not used here: write the value itself"))
      return .scalar("", isPlain: true, after)
    }
    switch node {
    case .scalar(let scalar):
      return .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any, position)
    case .sequence(let sequence):
      var nodes: [DocumentNode] = []
      for (index, element) in sequence.enumerated() {
        nodes.append(self.node(element, path: "\(path)[\(index)]", after: position))
      }
      return .list(nodes, position)
    case .mapping(let mapping):
      return .mapping(entries(mapping, path: path), position)
    case .alias:
      problems.append(Problem(position, path, "aliases are not used here: write the value itself"))
      return .scalar("", isPlain: true, position)
    }
  }

  private mutating func entries(_ mapping: Node.Mapping, path: String) -> [DocumentNode.Entry] {
    var entries: [DocumentNode.Entry] = []
    var earlier: [(key: String, position: Position)] = []
    for (key, value) in mapping {
      let position = Position(line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
      guard let name = key.scalar?.string else {
        problems.append(Problem(position, path, "a key has to be a single word"))
        continue
      }
      if let first = name.unicodeScalars.first, let original = hidden[first.value] {
        earlier.append((original, position))
        continue
      }
      entries.append(
        .init(
          key: name, position: position,
          value: node(value, path: path.isEmpty ? name : "\(path).\(name)", after: position)))
    }
    // The report stands at the last one, which is the one that an editor has just added, and which counts from here on.
    for (key, first) in earlier {
      let last = entries.last { $0.key == key }?.position ?? first
      problems.append(
        Problem(
          last, path.isEmpty ? key : "\(path).\(key)", "is written twice, first in line \(first.line): keep one of them"
        ))
    }
    return entries
  }
}
