/// A number of bytes, which prints and parses as people write sizes.
public struct ByteCount: RawRepresentable, Comparable, Hashable, Sendable {
  /// The bytes.
  public var bytes: Int64

  /// - Parameter bytes: the bytes.
  public init(_ bytes: Int64) {
    self.bytes = bytes
  }

  /// - Parameter rawValue: the bytes.
  public init(rawValue: Int64) {
    self.bytes = rawValue
  }

  /// The bytes.
  public var rawValue: Int64 { bytes }

  /// Fewer sorts first.
  public static func < (lhs: ByteCount, rhs: ByteCount) -> Bool {
    lhs.bytes < rhs.bytes
  }
}
