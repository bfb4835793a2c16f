/// How often and how soon a failed attempt is repeated: exponential pauses with full jitter, and a budget that all calls of
/// a client share, so that a store in trouble is not met by a multiple of the usual load.
public struct RetryPolicy: Sendable, Hashable {
  /// Of one call, the first included; 1 repeats nothing.
  public var maximumAttempts = 5
  /// The longest pause before the second attempt; it doubles with each further one.
  public var baseDelay: Duration = .milliseconds(100)
  /// The longest pause. A `Retry-After` above it ends the call.
  public var maximumDelay: Duration = .seconds(10)
  /// No attempt begins when the first was begun longer ago than this: what fails slowly is not repeated for as long as what
  /// fails at once.
  public var patience: Duration = .seconds(60)
  /// Repetitions that can be made at once; each takes one token.
  public var budget = 100.0
  /// Tokens that a successful call puts back.
  public var budgetPerSuccess = 0.2

  /// The defaults: five attempts within about 1.5 seconds of pauses.
  public init() {}

  /// Nothing is repeated.
  public static var none: RetryPolicy {
    var policy = RetryPolicy()
    policy.maximumAttempts = 1
    return policy
  }

  /// The pause after attempt number `attempt` (from 1) has failed.
  func delay(afterAttempt attempt: Int, jitter: Double) -> Duration {
    let ceiling = baseDelay * Double(1 << min(attempt - 1, 30))
    return min(ceiling, maximumDelay) * jitter
  }
}
