/// An object as listings show it: without headers and metadata.
public struct S3ObjectSummary: Sendable, Hashable {
  /// Its key.
  public var key: String
  /// In bytes.
  public var size: Int64
  /// Changes whenever the object is written.
  public var eTag: S3ETag
  /// When it was written, by the store's clock.
  public var lastModified: S3Timestamp?
}
