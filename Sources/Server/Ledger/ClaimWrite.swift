import R2Client

/// What has become of a conditional write.
package enum ClaimWrite: Sendable {
  /// It is stored.
  case written(S3ETag)
  /// It is not: the claim is another one by now.
  case conflict
  /// The store wants fewer writes of this key. Hardly stored; the next write will tell.
  case throttled
  /// Nobody knows. The error is what to say when it stays so.
  case unknown(StoreError)
}
