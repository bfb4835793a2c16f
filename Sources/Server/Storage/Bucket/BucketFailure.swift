import R2Client

/// The errors of S3 in the words of the store.
enum BucketFailure {
  /// Seconds after which a client may try again, when the store does not say.
  private static let retryAfter = 5

  /// `StoreError.unavailable` for everything that S3 says; other errors, of a client or of a cancelled task, as they are.
  static func error(_ error: any Error, _ client: R2Client) -> any Error {
    guard let error = error as? S3Error else { return error }
    return StoreError.unavailable(
      reason: error.explanation(client.configuration),
      retryAfter: error.retryAfter.map { max(1, Int(clamping: $0.components.seconds)) } ?? retryAfter)
  }

  /// Something that is not as it must be, and may be better later.
  static func unavailable(_ reason: String) -> StoreError {
    .unavailable(reason: reason, retryAfter: retryAfter)
  }

  /// Whether another attempt may go better. (For bodies that the client itself cannot repeat.)
  static func isTransient(_ error: S3Error) -> Bool {
    let codes: [S3Error.Code] = [
      .connectionFailed, .connectTimeout, .connectionLost, .firstByteTimeout, .idleTimeout, .requestTimeout, .slowDown,
      .tooManyRequests, .malformedAnswer, .internalError,
    ]
    return error.outcomeUnknown || codes.contains(error.code) || (error.status ?? 0) >= 500
  }
}
