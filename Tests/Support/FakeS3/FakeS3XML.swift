/// As much XML as the requests of S3 clients hold: elements by name, without attributes.
enum FakeS3XML {
  /// The texts between the tags of a name, references resolved.
  static func all(_ name: String, in text: String) -> [String] {
    var found: [String] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "<\(name)>"), let end = rest.firstRange(of: "</\(name)>") {
      found.append(String(rest[start.upperBound..<end.lowerBound]))
      rest = rest[end.upperBound...]
    }
    return found
  }

  static func first(_ name: String, in text: String) -> String? {
    all(name, in: text).first
  }

  static func unescaped(_ text: String) -> String {
    var text = text
    for code in [9, 10, 13] { text = text.replacing("&#\(code);", with: String(UnicodeScalar(UInt8(code)))) }
    for (reference, character) in [("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'"), ("amp", "&")] {
      text = text.replacing("&\(reference);", with: character)
    }
    return text
  }
}
