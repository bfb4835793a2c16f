import Glibc
import Synchronization
import UnixSignals

/// Ctrl-C and SIGTERM end the work in order: programs that run are ended, the lock is given back. A second one ends at once.
enum Interruption {
  /// While a person is asked, nothing is under way that would have to be put in order, and the question cannot be cancelled.
  static let isAsking = Atomic<Bool>(false)

  static func cancelling(_ work: @escaping @Sendable () async -> Int32) async -> Int32 {
    let task = Task { await work() }
    let watch = Task {
      for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        if task.isCancelled || isAsking.load(ordering: .relaxed) { exit(128 + signal.rawValue) }
        task.cancel()
      }
    }
    defer { watch.cancel() }
    return await task.value
  }
}
