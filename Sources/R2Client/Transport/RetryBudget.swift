import Synchronization

/// The tokens that repetitions are paid with.
final class RetryBudget: Sendable {
  private let policy: RetryPolicy
  private let tokens: Mutex<Double>

  init(_ policy: RetryPolicy) {
    self.policy = policy
    tokens = Mutex(policy.budget)
  }

  /// Takes a token; false when there is none.
  func take() -> Bool {
    tokens.withLock { tokens in
      guard tokens >= 1 else { return false }
      tokens -= 1
      return true
    }
  }

  func succeeded() {
    tokens.withLock { $0 = min(policy.budget, $0 + policy.budgetPerSuccess) }
  }
}
