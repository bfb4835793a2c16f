/// A part that the store has.
public struct S3CompletedPart: Sendable, Hashable {
  /// Its place, from 1.
  public var partNumber: Int
  /// As the store has answered it.
  public var eTag: S3ETag
  /// In bytes.
  public var size: Int64

  /// For parts that are remembered elsewhere than in memory.
  public init(partNumber: Int, eTag: S3ETag, size: Int64) {
    self.partNumber = partNumber
    self.eTag = eTag
    self.size = size
  }
}
