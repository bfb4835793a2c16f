/// One range of an answer, with its text in `Content-Range` (RFC 9110 section 14.4).
public struct ByteRange: Hashable, Sendable {
  /// First and last byte.
  public var positions: ClosedRange<Int64>
  /// Bytes of the whole representation.
  public var size: Int64

  /// A range of a representation.
  public init(_ positions: ClosedRange<Int64>, size: Int64) {
    self.positions = positions
    self.size = size
  }

  /// Bytes of the range.
  public var length: Int64 {
    positions.upperBound.subtractingSaturated(positions.lowerBound).addingSaturated(1)
  }

  /// `bytes 0-499/1234`.
  public var contentRange: String {
    "bytes \(positions.lowerBound)-\(positions.upperBound)/\(size)"
  }

  /// `bytes */1234`, which goes with 416.
  public static func unsatisfied(size: Int64) -> String {
    "bytes */\(size)"
  }
}
