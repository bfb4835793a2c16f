/// An entity tag (RFC 9110 section 8.8.3): `"xyzzy"` or `W/"xyzzy"`.
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
  /// What is between the quotes.
  public let opaque: String
  /// Whether it begins with `W/`: equal tags then mean equivalent representations, and not equal bytes.
  public let isWeak: Bool

  /// A tag; `nil` when `opaque` contains a character that has no place between the quotes (spaces, controls, `"`).
  public init?(opaque: String, isWeak: Bool = false) {
    guard opaque.utf8.allSatisfy(Self.isTagCharacter) else { return nil }
    self.opaque = opaque
    self.isWeak = isWeak
  }

  /// Parses one tag; `nil` for anything else.
  public init?(parsing text: String) {
    var scanner = TextScanner(text)
    guard let tag = Self.scan(&scanner), scanner.isAtEnd else { return nil }
    self = tag
  }

  /// Parses a list of tags, as in `If-Match`; `nil` when it is none, or empty.
  public static func list(_ text: String) -> [EntityTag]? {
    var scanner = TextScanner(text)
    var tags: [EntityTag] = []
    repeat {
      scanner.skipWhitespace()
      if scanner.next == UInt8(ascii: ",") || scanner.isAtEnd { continue }
      guard let tag = scan(&scanner) else { return nil }
      tags.append(tag)
      scanner.skipWhitespace()
    } while scanner.scan(",")
    return scanner.isAtEnd && !tags.isEmpty ? tags : nil
  }

  /// As it stands in a header.
  public var description: String {
    "\(isWeak ? "W/" : "")\"\(opaque)\""
  }

  /// Strong comparison (RFC 9110 section 8.8.3.2): equal bytes.
  public func stronglyMatches(_ other: EntityTag) -> Bool {
    !isWeak && !other.isWeak && weaklyMatches(other)
  }

  /// Weak comparison (RFC 9110 section 8.8.3.2): equivalent representations.
  public func weaklyMatches(_ other: EntityTag) -> Bool {
    // Bytes: String's own == takes different encodings of a letter for equal.
    opaque.utf8.elementsEqual(other.opaque.utf8)
  }

  private static func scan(_ scanner: inout TextScanner) -> EntityTag? {
    let isWeak = scanner.scan("W/")
    guard scanner.scan("\"") else { return nil }
    let opaque = scanner.scanWhile(isTagCharacter)
    guard scanner.scan("\"") else { return nil }
    return EntityTag(opaque: String(decoding: opaque, as: UTF8.self), isWeak: isWeak)
  }

  /// etagc: any visible character but the double quote, and bytes beyond ASCII.
  private static func isTagCharacter(_ byte: UInt8) -> Bool {
    byte == 0x21 || (0x23...0x7E).contains(byte) || byte >= 0x80
  }
}
