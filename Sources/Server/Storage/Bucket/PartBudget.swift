import Synchronization

/// The memory that all transfers with the bucket share: part buffers of uploads, windows of downloads that are read ahead.
///
/// Whoever finds nothing left gets slower (uploads go through a file, downloads through one stream), so that memory is
/// bounded by this number and not by how many clients there are.
package final class PartBudget: Sendable {
  /// Bytes that may be out at the same time.
  package let capacity: Int
  /// Of a part of an upload, and of a window of a download, in bytes.
  package let partSize: Int

  private struct Waiter {
    var number: UInt64
    var bytes: Int
    var continuation: CheckedContinuation<PartTicket, any Error>
  }

  private struct State {
    var taken = 0
    var peak = 0
    var lastNumber: UInt64 = 0
    /// In the order in which they came.
    var waiters: [Waiter] = []
    /// Waiters that were cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
  }

  private let state = Mutex(State())

  /// - Parameters:
  ///   - bytes: the whole; held to one part at least, else nothing could ever be taken.
  ///   - partSize: of one part.
  package init(bytes: Int = 48 << 20, partSize: Int = 8 << 20) {
    self.partSize = max(partSize, 1)
    capacity = max(bytes, self.partSize)
  }

  /// Bytes that are out.
  package var taken: Int { state.withLock { $0.taken } }
  /// The most that were ever out.
  package var peak: Int { state.withLock { $0.peak } }

  /// Takes memory if there is some now, and nobody waits for it.
  ///
  /// - Parameters:
  ///   - bytes: nil: one part.
  ///   - reserve: so much must stay for others.
  package func tryTake(_ bytes: Int? = nil, reserve: Int = 0) -> PartTicket? {
    let bytes = bytes ?? partSize
    return state.withLock { state in
      guard state.waiters.isEmpty, state.taken + bytes + reserve <= capacity else { return nil }
      return take(bytes, &state)
    }
  }

  /// Waits for memory; who came first is served first.
  ///
  /// - Throws: `CancellationError`; `StoreError.full` for more than there can ever be.
  package func take(_ bytes: Int? = nil) async throws -> PartTicket {
    let bytes = bytes ?? partSize
    guard bytes <= capacity else { throw StoreError.full }
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    defer { state.withLock { _ = $0.cancelled.remove(number) } }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        wait(Waiter(number: number, bytes: bytes, continuation: continuation))
      }
    } onCancel: {
      cancel(number)
    }
  }

  private func wait(_ waiter: Waiter) {
    let outcome: Result<PartTicket, any Error>? = state.withLock { state in
      if state.cancelled.remove(waiter.number) != nil { return .failure(CancellationError()) }
      if state.waiters.isEmpty, state.taken + waiter.bytes <= capacity { return .success(take(waiter.bytes, &state)) }
      state.waiters.append(waiter)
      return nil
    }
    if let outcome { waiter.continuation.resume(with: outcome) }
  }

  private func cancel(_ number: UInt64) {
    let waiter: Waiter? = state.withLock { state in
      guard let index = state.waiters.firstIndex(where: { $0.number == number }) else {
        // Not waiting yet, or served already.
        state.cancelled.insert(number)
        return nil
      }
      return state.waiters.remove(at: index)
    }
    waiter?.continuation.resume(throwing: CancellationError())
    // Who stood behind it may be served now.
    give(back: 0)
  }

  private func take(_ bytes: Int, _ state: inout State) -> PartTicket {
    state.taken += bytes
    state.peak = max(state.peak, state.taken)
    return PartTicket(bytes, of: self)
  }

  /// Only for tickets.
  func give(back bytes: Int) {
    let served: [(Waiter, PartTicket)] = state.withLock { state in
      state.taken -= bytes
      var served: [(Waiter, PartTicket)] = []
      while let first = state.waiters.first, state.taken + first.bytes <= capacity {
        state.waiters.removeFirst()
        served.append((first, take(first.bytes, &state)))
      }
      return served
    }
    for (waiter, ticket) in served { waiter.continuation.resume(returning: ticket) }
  }
}
