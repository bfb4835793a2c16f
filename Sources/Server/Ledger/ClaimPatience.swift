/// How long a ledger bears with a store before it says that the store is away.
package struct ClaimPatience: Sendable {
  /// Of all pauses of one call.
  package var total: Duration = .seconds(3)
  /// Between two writes of one key, as the store wants it (R2: one a second).
  package var writeInterval: Duration = .seconds(1)
  /// A number in 0..<1 that spreads the pauses.
  package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
  /// Waits; throws when the task is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  package init() {}

  /// The pauses of one call.
  struct Pauses {
    let patience: ClaimPatience
    private var spent: Duration = .zero
    private var count = 0

    /// - Parameter times: how much more patience than usual.
    init(_ patience: ClaimPatience, times: Int = 1) {
      var patience = patience
      patience.total *= times
      self.patience = patience
    }

    /// Waits for a while.
    ///
    /// - Parameter sinceWrite: how long ago the key was written, when that is known.
    /// - Returns: false when the patience is at its end.
    mutating func pause(sinceWrite: Duration?) async throws -> Bool {
      guard spent < patience.total else { return false }
      let interval = patience.writeInterval
      var pause = interval * (0.25 + 0.5 * patience.jitter()) * Double(min(1 << count, 4)) / 2
      if count == 0, let sinceWrite, sinceWrite < interval {
        // Known to the millisecond: one pause is enough.
        pause = interval - sinceWrite + interval * 0.1 * patience.jitter()
      }
      pause = min(pause, patience.total - spent)
      count += 1
      spent += pause
      try await patience.sleep(pause)
      return true
    }
  }
}
