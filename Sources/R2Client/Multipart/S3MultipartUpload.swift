/// A multipart upload that is neither completed nor aborted.
public struct S3MultipartUpload: Sendable, Hashable {
  /// Of the object that it would become.
  public var key: String
  /// Names it among the uploads to the same key.
  public var uploadID: String
  /// When it was created, by the store's clock.
  public var initiated: S3Timestamp?
}
