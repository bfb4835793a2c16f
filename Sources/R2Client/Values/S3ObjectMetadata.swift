/// What is known of an object without its bytes.
public struct S3ObjectMetadata: Sendable, Hashable {
  /// Size of the whole object, in bytes.
  public var size: Int64
  /// Changes whenever the object is written.
  public var eTag: S3ETag
  /// When it was written, by the store's clock.
  public var lastModified: S3Timestamp?
  /// What was stored beside the bytes.
  public var headers: S3ObjectHeaders

  /// For stand-ins in tests; the client makes its own.
  public init(size: Int64, eTag: S3ETag, lastModified: S3Timestamp?, headers: S3ObjectHeaders) {
    self.size = size
    self.eTag = eTag
    self.lastModified = lastModified
    self.headers = headers
  }
}
