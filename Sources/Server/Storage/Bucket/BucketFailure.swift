import R2Client

/// The errors of S3 in the words of the store.
enum BucketFailure {
  /// Seconds after which a client may try again, when the store does not say.
  private static let retryAfter = 5
  /// Whatever the store says.
  private static let longest = 60

  /// `StoreError.unavailable` for everything that S3 says; other errors, of a client or of a cancelled task, as they are.
  static func error(_ error: any Error, _ client: R2Client) -> any Error {
    (error as? S3Error).map { unavailable($0, client) } ?? error
  }

  static func unavailable(_ error: S3Error, _ client: R2Client) -> StoreError {
    var error = error
    // The key holds the id, and who knows the id may fetch the file: not for logs.
    error.key = nil
    let seconds = error.retryAfter.map { Int(clamping: $0.components.seconds) } ?? retryAfter
    return .unavailable(reason: reason(error, client), retryAfter: min(max(1, seconds), longest))
  }

  /// Led back to the setting, where there is one.
  private static func reason(_ error: S3Error, _ client: R2Client) -> String {
    let configuration = client.configuration
    switch error.code.rawValue {
    case "AuthorizationHeaderMalformed", "InvalidRegion", "IllegalLocationConstraintException":
      return
        "R2_REGION \(configuration.region) is not the region of the bucket: set the one that the store names (\(error.message))"
    case "PermanentRedirect", "TemporaryRedirect", "HTTP301", "HTTP307", "HTTP308":
      return
        "R2_ENDPOINT \(configuration.endpoint) is not where the bucket is: set the endpoint of its region, and R2_REGION (\(error.code) \(error.message))"
    case "NoSuchKey" where error.key == nil:
      return
        "R2_ENDPOINT \(configuration.endpoint) has no bucket \(configuration.bucket) in it: the endpoint must be a URL without the bucket, and R2_BUCKET_NAME its name"
    default: return error.explanation(configuration)
    }
  }

  /// Something that is not as it must be, and may be better later.
  static func unavailable(_ reason: String) -> StoreError {
    .unavailable(reason: reason, retryAfter: retryAfter)
  }

  /// Whether the store has not answered in time, so that the next question will wait as long.
  static func isSilence(_ error: any Error) -> Bool {
    guard let code = (error as? S3Error)?.code else { return false }
    return [.firstByteTimeout, .idleTimeout, .connectTimeout].contains(code)
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
