/// A media type in its parts (RFC 9110 section 8.3.1): `type/subtype` and parameters.
struct MediaType {
  static let maximumLength = 255

  /// `type/subtype` in lower case, without parameters.
  let essence: String

  /// `nil` unless the text is a media type of printable ASCII and at most 255 bytes, without surrounding white space.
  init?(_ text: String) {
    guard text.utf8.count <= Self.maximumLength, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      return nil
    }
    var scanner = TextScanner(text)
    let type = scanner.scanWhile(\.isTokenCharacter)
    guard !type.isEmpty, scanner.scan("/") else { return nil }
    let subtype = scanner.scanWhile(\.isTokenCharacter)
    guard !subtype.isEmpty, Self.skipParameters(&scanner), scanner.isAtEnd else { return nil }
    essence = String(decoding: type + [UInt8(ascii: "/")] + subtype, as: UTF8.self).lowercased()
  }

  /// `*( OWS ";" OWS [ parameter ] )` (RFC 9110 section 5.6.6).
  private static func skipParameters(_ scanner: inout TextScanner) -> Bool {
    while true {
      scanner.skipWhitespace()
      guard scanner.scan(";") else { return true }
      scanner.skipWhitespace()
      if scanner.scanWhile(\.isTokenCharacter).isEmpty { continue }
      guard scanner.scan("="), skipValue(&scanner) else { return false }
    }
  }

  private static func skipValue(_ scanner: inout TextScanner) -> Bool {
    guard scanner.scan("\"") else { return !scanner.scanWhile(\.isTokenCharacter).isEmpty }
    while true {
      _ = scanner.scanWhile { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
      if scanner.scan("\"") { return true }
      guard scanner.scan("\\"), scanner.scan(where: { _ in true }) else { return false }
    }
  }
}
