/// A stranger's text as it may stand in a message: in double quotes, on one line, of at most 64 characters between
/// the quotes, without control characters, and with what is unprintable escaped as in Swift (`\u{7}`).
struct QuotedText: CustomStringConvertible {
  static let maximumLength = 64

  let description: String

  init(_ raw: String) {
    var kept = ""
    var count = 0
    var head = ""
    for scalar in raw.unicodeScalars {
      let piece = Self.escaped(scalar)
      count += piece.unicodeScalars.count
      if count > Self.maximumLength {
        // The "…" needs a place too, and an escape is not to be cut in pieces.
        kept = head + "…"
        break
      }
      kept += piece
      if count < Self.maximumLength { head = kept }
    }
    description = "\"\(kept)\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
    if scalar.isControlOrLineSeparator || scalar.isBidirectionalControl {
      return "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }
    return String(scalar)
  }
}
