/// A text as a value in YAML, in quotes where it could be read as something else: `1234`, `on` and `null` are names as well.
enum YAMLScalar {
  private static let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]

  static func written(_ text: String) -> String {
    isPlain(text) ? text : "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }

  /// Begins with a letter, so it is no number and no mark of YAML, and has nothing that ends it.
  private static func isPlain(_ text: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) }
    guard let first = text.utf8.first, isLetter(first), !words.contains(text.lowercased()), !text.hasSuffix(":") else {
      return false
    }
    return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "-_./@+:%=".utf8.contains($0) }
  }
}
