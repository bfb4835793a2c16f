/// Writes the flat YAML of k3s. A text is in double quotes unless it is plainly a word: JSON's strings are YAML's.
struct YAMLLines {
  private(set) var lines: [String]

  init(_ lines: [String]) {
    self.lines = lines
  }

  mutating func add(_ key: String, _ text: String) { lines.append("\(key): \(Self.scalar(text))") }

  mutating func add(_ key: String, _ flag: Bool) { lines.append("\(key): \(flag)") }

  mutating func add(_ key: String, _ number: Int) { lines.append("\(key): \(number)") }

  /// Nothing for an empty list.
  mutating func add(_ key: String, _ texts: [String]) {
    if texts.isEmpty { return }
    lines.append("\(key):")
    lines += texts.map { "  - \(Self.scalar($0))" }
  }

  static func scalar(_ text: String) -> String {
    let isWord =
      text.first?.isLetter == true
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || [0x2D, 0x2E, 0x2F, 0x5F].contains($0)
      }
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    return isWord && !reserved.contains(text.lowercased()) ? text : JSONValue.string(text).json
  }
}
