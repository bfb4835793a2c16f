/// An entity tag: changes whenever the object is written. Opaque; of a multipart upload it is no MD5.
public struct S3ETag: Sendable, Hashable, CustomStringConvertible {
  /// The tag without quotes.
  public let value: String

  /// Takes the tag with or without its quotes.
  public init(_ text: some StringProtocol) {
    if text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
      value = String(text.dropFirst().dropLast())
    } else {
      value = String(text)
    }
  }

  /// With quotes, as RFC 9110 writes it.
  public var quoted: String { "\"\(value)\"" }

  /// The same as `quoted`.
  public var description: String { quoted }
}
