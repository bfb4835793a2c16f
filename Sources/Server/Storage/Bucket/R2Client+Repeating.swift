import NIOCore
import R2Client

extension R2Client {
  /// Repeats what the client itself cannot: requests whose body is read from a file, answers that break off.
  ///
  /// - Throws: the last error; its `outcomeUnknown` speaks of all attempts.
  func repeating<T: Sendable>(_ operation: () async throws -> T) async throws -> T {
    var attempt = 1
    var wasUnknown = false
    let start = ContinuousClock.now
    while true {
      do {
        return try await operation()
      } catch var error as S3Error {
        wasUnknown = wasUnknown || error.outcomeUnknown
        error.outcomeUnknown = wasUnknown
        guard attempt < options.retry.maximumAttempts, start.duration(to: .now) < options.retry.patience,
          BucketFailure.isTransient(error)
        else { throw error }
      }
      try await pause(afterAttempt: attempt)
      attempt += 1
    }
  }

  /// Waits as the client does between its attempts.
  func pause(afterAttempt attempt: Int) async throws {
    let policy = options.retry
    let longest = min(policy.baseDelay * Double(1 << min(attempt - 1, 20)), policy.maximumDelay)
    try await options.sleep(longest * options.jitter())
  }

  /// An object of few bytes, read again when its answer breaks off.
  func smallObject(_ key: String, limit: Int) async throws -> (bytes: ByteBuffer, eTag: S3ETag) {
    try await repeating {
      let object = try await getObject(key)
      return (try await object.body.collect(upTo: limit), object.metadata.eTag)
    }
  }
}
