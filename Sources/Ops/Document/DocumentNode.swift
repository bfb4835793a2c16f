/// A value of a YAML file with its place.
package indirect enum DocumentNode: Sendable {
  /// A key and its value.
  package struct Entry: Sendable {
    package var key: String
    package var position: Position
    package var value: DocumentNode
  }

  case mapping([Entry], Position)
  case list([DocumentNode], Position)
  /// `isPlain`: written without quotes, so that `true`, `22` and `null` are not texts.
  case scalar(String, isPlain: Bool, Position)

  package var position: Position {
    switch self {
    case .mapping(_, let position), .list(_, let position), .scalar(_, _, let position): position
    }
  }

  /// `null`, `~` or nothing: the same as leaving the key out.
  package var isNull: Bool {
    if case .scalar(let text, isPlain: true, _) = self { return ["", "~", "null", "Null", "NULL"].contains(text) }
    return false
  }

  /// What it is, for messages.
  package var noun: String {
    switch self {
    case .mapping: "a section"
    case .list: "a list"
    case .scalar: "a single value"
    }
  }
}
