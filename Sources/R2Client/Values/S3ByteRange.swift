/// A part of an object, as `Range` asks for it.
public enum S3ByteRange: Sendable, Hashable {
  /// These bytes; an end beyond the object is cut. Must not be empty.
  case bytes(Range<Int64>)
  /// From this offset to the end.
  case from(Int64)
  /// So many bytes at the end.
  case last(Int64)

  var headerValue: String {
    switch self {
    case .bytes(let range): "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
    case .from(let offset): "bytes=\(offset)-"
    case .last(let count): "bytes=-\(count)"
    }
  }
}
