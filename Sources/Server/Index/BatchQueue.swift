import Synchronization

/// Jobs that arrive while a batch runs form the next batch: one fsync then serves them all (group commit).
final class BatchQueue<Job: Sendable>: Sendable {
  private struct State {
    var jobs: [Job] = []
    var isDraining = false
  }

  private let state = Mutex(State())

  /// - Returns: true when the caller must start a drain: `take` until it is empty.
  func add(_ job: Job) -> Bool {
    state.withLock { state in
      state.jobs.append(job)
      defer { state.isDraining = true }
      return !state.isDraining
    }
  }

  /// All jobs that wait; empty ends the drain.
  func take() -> [Job] {
    state.withLock { state in
      defer { state.jobs.removeAll(keepingCapacity: true) }
      if state.jobs.isEmpty { state.isDraining = false }
      return state.jobs
    }
  }
}
