/// What a successful write answers.
public struct S3PutResult: Sendable, Hashable {
  /// Of the object as written.
  public var eTag: S3ETag
}
