import Synchronization

/// Whether the store takes only so many writes of one key in a time (R2: one a second). It bills those too that it refuses,
/// so where there is such a limit, a write that comes too soon waits instead of being refused; where there is none, nobody
/// waits. Learned from the first refusal, when it is not known.
package final class WritePace: Sendable {
  private let limited: Atomic<Bool>

  package init(isLimited: Bool = false) {
    limited = Atomic(isLimited)
  }

  /// Whether writes that come too soon wait.
  package var isLimited: Bool { limited.load(ordering: .relaxed) }

  /// A write was refused because the one before was a moment ago.
  func noteLimit() { limited.store(true, ordering: .relaxed) }
}
