extension FileName {
  /// The name in the last segment of a percent-encoded path (RFC 3986 section 3.3): `/a/b/na%20me` gives `na me`.
  ///
  /// An encoded separator (`%2F`, `%5C`) separates too, after decoding: a name is never a path.
  ///
  /// - Returns: `nil` when the path ends in `/` or is empty: no name was given.
  /// - Throws: `FileNameError.badEncoding` for a bad escape and for bytes that are not UTF-8 (overlong forms and
  ///   surrogates included); otherwise what `init(_:)` throws.
  public static func inPath(_ percentEncodedPath: String) throws(FileNameError) -> FileName? {
    let path = percentEncodedPath.utf8
    let start = path.lastIndex(of: UInt8(ascii: "/")).map(path.index(after:)) ?? path.startIndex
    guard start < path.endIndex else { return nil }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(path.distance(from: start, to: path.endIndex))
    var segment = path[start...].makeIterator()
    while let byte = segment.next() {
      guard byte == UInt8(ascii: "%") else {
        decoded.append(byte)
        continue
      }
      guard let high = segment.next()?.hexadecimalValue, let low = segment.next()?.hexadecimalValue else {
        throw .badEncoding
      }
      decoded.append(high << 4 | low)
    }
    guard let name = String(validating: decoded, as: UTF8.self) else { throw .badEncoding }
    return try FileName(name)
  }
}
