/// The `Repr-Digest` header (RFC 9530): a dictionary of byte sequences (RFC 9651 section 3.2), of which we use sha-256.
public enum ReprDigest {
  /// Bytes of a SHA-256.
  public static let sha256Length = 32

  /// The 32 bytes of the `sha-256` member; `nil` when there is none. The last one counts (RFC 9651 section 4.2.2).
  ///
  /// - Parameter header: the field value; several fields are to be joined by commas.
  /// - Throws: `UploadRejection.badHeader` when it is no dictionary of byte sequences, or the digest has another length:
  ///   an uploader who wanted a check must not believe that there was one.
  public static func parseSHA256(_ header: String) throws(UploadRejection) -> [UInt8]? {
    var scanner = TextScanner(header)
    scanner.skipSpaces()
    var digest: [UInt8]?
    while !scanner.isAtEnd {
      guard let (key, bytes) = member(&scanner), endOfMember(&scanner) else { throw malformed(header) }
      guard key == "sha-256" else { continue }
      guard bytes.count == sha256Length else { throw malformed(header) }
      digest = bytes
    }
    return digest
  }

  /// `sha-256=:<base64>:`.
  public static func format(sha256: [UInt8]) -> String {
    "sha-256=:\(Base64.encode(sha256)):"
  }

  private static func malformed(_ header: String) -> UploadRejection {
    .badHeader(
      name: UploadHeader.reprDigest,
      value: header,
      requirement: "look like sha-256=:<base64 of \(sha256Length) bytes>: (RFC 9530)"
    )
  }

  private static func member(_ scanner: inout TextScanner) -> (key: String, bytes: [UInt8])? {
    guard let key = scanner.scanKey(), scanner.scan("="), let bytes = scanner.scanByteSequence() else { return nil }
    // Nobody has defined parameters here; those of the future are not to break us.
    while scanner.scan(";") {
      scanner.skipSpaces()
      guard scanner.scanKey() != nil, !scanner.scan("=") || scanner.scanBareItem() else { return nil }
    }
    return (key, bytes)
  }

  /// A comma has to be followed by another member.
  private static func endOfMember(_ scanner: inout TextScanner) -> Bool {
    scanner.skipWhitespace()
    if scanner.isAtEnd { return true }
    guard scanner.scan(",") else { return false }
    scanner.skipWhitespace()
    return !scanner.isAtEnd
  }
}

/// The pieces of structured fields (RFC 9651 section 4.2).
extension TextScanner {
  fileprivate mutating func skipSpaces() {
    _ = scanWhile { $0 == UInt8(ascii: " ") }
  }

  fileprivate mutating func scanKey() -> String? {
    guard let next, next.isASCIILowercase || next == UInt8(ascii: "*") else { return nil }
    let key = scanWhile {
      $0.isASCIILowercase || $0.isASCIIDigit
        || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "*")].contains($0)
    }
    return String(decoding: key, as: UTF8.self)
  }

  fileprivate mutating func scanByteSequence() -> [UInt8]? {
    guard scan(":") else { return nil }
    let text = scanWhile { $0 != UInt8(ascii: ":") }
    return scan(":") ? Base64.decode(text) : nil
  }

  /// A string, a byte sequence, or something made of token characters: tokens, numbers, booleans, dates.
  fileprivate mutating func scanBareItem() -> Bool {
    if next == UInt8(ascii: ":") { return scanByteSequence() != nil }
    if scan("\"") {
      while true {
        _ = scanWhile { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if scan("\"") { return true }
        guard scan("\\"), scan(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else { return false }
      }
    }
    return !scanWhile {
      $0.isTokenCharacter || [UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "@")].contains($0)
    }.isEmpty
  }
}
