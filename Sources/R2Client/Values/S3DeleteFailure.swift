/// A key that DeleteObjects could not delete. (A key without an object is no failure.)
public struct S3DeleteFailure: Sendable, Hashable {
  /// The key that is still there.
  public var key: String
  /// Why.
  public var code: S3Error.Code
  /// In the store's words.
  public var message: String
}
