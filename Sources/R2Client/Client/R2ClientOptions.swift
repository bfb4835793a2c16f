/// How an ``R2Client`` behaves: everything but where the bucket is and who asks.
public struct R2ClientOptions: Sendable {
  /// How long it waits for what.
  public var timeouts = S3Timeouts()
  /// What it repeats, how often.
  public var retry = RetryPolicy()
  /// Open connections to the store; further requests wait for one for as long as ``S3Timeouts/connect``.
  public var connectionLimit = 256
  /// How long an unused connection is kept. Shorter than any store's own limit, so that requests do not run into a
  /// connection that is just being closed.
  public var idleConnectionLifetime: Duration = .seconds(20)
  /// Sizes and number of the parts of a multipart upload.
  public var partLimits = S3PartLimits()
  /// A PEM file of certificate authorities to trust instead of the system's.
  public var trustRootsFile: String?
  /// The clock that requests are signed with.
  public var now: @Sendable () -> S3Timestamp = { .now }
  /// A number in 0..<1 that spreads the pauses between attempts.
  public var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
  /// Waits between attempts; throws when the task is cancelled.
  public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// Told of every attempt, after its answer's head has come or it has failed. Must return soon.
  public var observe: @Sendable (S3OperationReport) -> Void = { _ in }

  /// The defaults, which suit R2.
  public init() {}
}
