/// Reads a short text from the front, byte by byte.
///
/// Works on UTF-8 and not on `Character`: a separator followed by a combining mark is one `Character`, which is
/// different from the separator, and "\r\n" is one too.
struct TextScanner {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ text: some StringProtocol) {
    bytes = Array(text.utf8)
  }

  var isAtEnd: Bool { position == bytes.count }

  /// The next byte, which stays.
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Takes the text if it comes next.
  mutating func scan(_ text: String) -> Bool {
    let wanted = text.utf8
    guard bytes[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  /// Takes the first of the words that comes next and returns its index.
  mutating func scan(anyOf words: [String]) -> Int? {
    for (index, word) in words.enumerated() where scan(word) {
      return index
    }
    return nil
  }

  /// Takes one byte if it fits.
  mutating func scan(where fits: (UInt8) -> Bool) -> Bool {
    guard let next, fits(next) else { return false }
    position += 1
    return true
  }

  /// Takes as many bytes as fit, and returns them; empty when there are none.
  mutating func scanWhile(_ fits: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = position
    while scan(where: fits) {}
    return bytes[start..<position]
  }

  /// Takes exactly so many ASCII digits. More digits may follow.
  mutating func scanNumber(digits: Int) -> Int64? {
    guard position + digits <= bytes.count else { return nil }
    var value: Int64 = 0
    for byte in bytes[position..<position + digits] {
      guard byte.isASCIIDigit else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    position += digits
    return value
  }

  /// Takes one or more ASCII digits; a number above `Int64.max` is held there. `nil` when no digit comes next.
  mutating func scanSaturatedNumber() -> Int64? {
    let digits = scanWhile(\.isASCIIDigit)
    guard !digits.isEmpty else { return nil }
    return digits.reduce(0) { value, byte in
      value.multipliedSaturated(by: 10).addingSaturated(Int64(byte - UInt8(ascii: "0")))
    }
  }

  /// Takes optional white space (OWS, RFC 9110 section 5.6.3): spaces and tabs.
  mutating func skipWhitespace() {
    _ = scanWhile(\.isHTTPWhitespace)
  }
}
