/// How an object of a known size is cut into parts that R2 accepts: all equal but the last.
public struct S3PartLayout: Sendable, Hashable {
  /// Of the whole object, in bytes.
  public let size: Int64
  /// Of every part but the last, in bytes.
  public let partSize: Int64

  /// The layout with the smallest parts of at least `preferredPartSize` that keeps within the limits; nil for a size of
  /// zero or less (an empty object is one PutObject) and for more than the limits can hold.
  public init?(size: Int64, preferredPartSize: Int64, limits: S3PartLimits = S3PartLimits()) {
    guard size > 0 else { return nil }
    let count = Int64(limits.maximumCount)
    let needed = size / count + (size % count == 0 ? 0 : 1)
    let partSize = max(preferredPartSize, needed, limits.minimumSize)
    guard partSize <= limits.maximumSize else { return nil }
    self.size = size
    self.partSize = partSize
  }

  /// How many parts there are; the last has number `count`.
  public var count: Int { Int((size - 1) / partSize) + 1 }

  /// Which bytes of the object are part `number`, counted from 1; nil when there is no such part.
  public func range(ofPart number: Int) -> Range<Int64>? {
    guard (1...count).contains(number) else { return nil }
    let start = Int64(number - 1) * partSize
    return start..<min(start + partSize, size)
  }
}
