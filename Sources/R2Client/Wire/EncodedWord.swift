import FoundationEssentials

/// Unicode text in a header of ASCII: RFC 2047 encoded words, which R2 encodes and decodes itself
/// (developers.cloudflare.com/r2/api/s3/extensions, "Extended metadata using Unicode").
package enum EncodedWord {
  /// The text itself when it is plain; otherwise words of at most 75 characters, as the RFC wants.
  package static func encode(_ text: String) -> String {
    guard !isPlain(text) else { return text }
    var words: [String] = []
    var chunk: [UInt8] = []
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      // 45 bytes are 60 digits of base64, and 12 characters stand around them.
      if chunk.count + bytes.count > 45 {
        words.append(word(chunk))
        chunk = []
      }
      chunk += bytes
    }
    words.append(word(chunk))
    return words.joined(separator: " ")
  }

  /// The text that encoded words stand for; anything else as it is.
  package static func decode(_ text: String) -> String {
    guard text.contains("=?") else { return text }
    var result: [UInt8] = []
    var wasWord = false
    for (index, piece) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      if let bytes = decodedWord(piece) {
        // Space between two encoded words only separates them.
        if index > 0 && !wasWord { result.append(UInt8(ascii: " ")) }
        result += bytes
        wasWord = true
      } else {
        if index > 0 { result.append(UInt8(ascii: " ")) }
        result += Array(piece.utf8)
        wasWord = false
      }
    }
    return String(validating: result, as: UTF8.self) ?? text
  }

  /// Printable ASCII that means only itself, and that no proxy and no signature changes.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?") && !text.contains("  ")
      && !text.hasPrefix(" ") && !text.hasSuffix(" ")
  }

  private static func word(_ bytes: [UInt8]) -> String {
    "=?UTF-8?B?\(Data(bytes).base64EncodedString())?="
  }

  private static func decodedWord(_ piece: Substring) -> [UInt8]? {
    let fields = piece.split(separator: "?", omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0] == "=", fields[4] == "=", fields[1].lowercased() == "utf-8" else { return nil }
    switch fields[2] {
    case "B", "b": return Data(base64Encoded: String(fields[3])).map { Array($0) }
    case "Q", "q":
      let percent = fields[3].replacing("%", with: "=25").replacing("_", with: "=20").replacing("=", with: "%")
      return PercentEncoding.decode(String(percent.replacing("+", with: "%2B"))).map { Array($0.utf8) }
    default: return nil
    }
  }
}
