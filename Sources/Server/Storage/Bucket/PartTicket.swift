import Synchronization

/// The right to hold some bytes in memory. Goes back when it is released, at the latest with its last reference.
package final class PartTicket: Sendable {
  private let budget: PartBudget
  private let bytes: Mutex<Int>

  /// Only the budget makes tickets.
  init(_ bytes: Int, of budget: PartBudget) {
    self.budget = budget
    self.bytes = Mutex(bytes)
  }

  deinit {
    release()
  }

  /// Gives back what is not needed.
  package func shrink(to wanted: Int) {
    let surplus = bytes.withLock { bytes in
      defer { bytes = min(bytes, wanted) }
      return bytes - min(bytes, wanted)
    }
    if surplus > 0 { budget.give(back: surplus) }
  }

  /// Gives everything back. Repeatable.
  package func release() {
    shrink(to: 0)
  }
}
