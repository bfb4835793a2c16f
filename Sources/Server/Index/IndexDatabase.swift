import GRDB
import NIOCore
import Synchronization

/// The SQLite file under the index, with one writer and a snapshot reader.
///
/// Design: callers are many small transactions from the event loops; a commit costs an fsync (`synchronous = FULL`: an
/// acknowledged upload and a consumed download survive a power cut). So whatever queues up while one commit runs goes
/// into the next one together. If a job fails, the transaction is rolled back and each of its jobs runs again in one of
/// its own (so the bodies must be repeatable): the failure stays the job's own, and success costs no savepoints.
package final class IndexDatabase: Sendable {
  private struct Job: Sendable {
    /// Runs the job; gives back what to do when the transaction is durable.
    let run: @Sendable (Database) throws -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void

    init<T: Sendable>(
      _ continuation: CheckedContinuation<T, any Error>, _ body: @escaping @Sendable (Database) throws -> T
    ) {
      run = { db in
        let value = try body(db)
        return { continuation.resume(returning: value) }
      }
      fail = { continuation.resume(throwing: $0) }
    }
  }

  private let pool: DatabasePool
  private let writes = BatchQueue<Job>()
  private let reads = BatchQueue<Job>()
  /// Called with the name of each call before it runs; tests let the Nth one fail.
  private let beforeCall: @Sendable (String) throws -> Void
  /// Runs at the end of every transaction, whatever its jobs were.
  private let beforeCommit: @Sendable (Database) throws -> Void
  /// Where to commit when that waits for no disk: on the loop that asks, which collects the writes of its own requests.
  /// nil: on a thread of the database's own.
  private let loops: (any EventLoopGroup)?
  /// Whether a loop is going to commit what waits at the end of its turn.
  private let turns: [ObjectIdentifier: LoopTurn]

  package init(
    pool: DatabasePool, loops: (any EventLoopGroup)? = nil,
    beforeCall: @escaping @Sendable (String) throws -> Void = { _ in },
    beforeCommit: @escaping @Sendable (Database) throws -> Void = { _ in }
  ) {
    self.pool = pool
    self.loops = loops
    turns = Dictionary(uniqueKeysWithValues: loops?.makeIterator().map { (ObjectIdentifier($0), LoopTurn()) } ?? [])
    self.beforeCall = beforeCall
    self.beforeCommit = beforeCommit
  }

  /// Runs `body` in a transaction and returns when it is durable.
  ///
  /// - Parameter body: may run twice; only the last run counts.
  package func write<T: Sendable>(
    _ name: String, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws -> T {
    try beforeCall(name)
    return try await withCheckedThrowingContinuation { continuation in
      let starts = writes.add(Job(continuation, body))
      if let loops {
        commitAtEndOfTurn(of: loops.any())
      } else if starts {
        pool.asyncWriteWithoutTransaction { db in while self.commitWhatWaits(db) {} }
      }
    }
  }

  /// Runs `body` on a snapshot that contains every finished write.
  package func read<T: Sendable>(
    _ name: String, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws -> T {
    try beforeCall(name)
    return try await withCheckedThrowingContinuation { continuation in
      let starts = reads.add(Job(continuation, body))
      if starts { scheduleReads() }
    }
  }

  package func close() throws {
    try pool.close()
  }

  /// After what this turn of the loop has still to do: its other requests join the transaction, and those of the other
  /// loops that wait by then.
  private func commitAtEndOfTurn(of loop: any EventLoop) {
    guard let turn = turns[ObjectIdentifier(loop)], turn.begin() else { return }
    loop.execute {
      turn.end()
      _ = self.pool.writeWithoutTransaction { self.commitWhatWaits($0) }
    }
  }

  /// - Returns: false when nothing waited.
  private func commitWhatWaits(_ db: Database) -> Bool {
    let jobs = writes.take()
    if !jobs.isEmpty { commit(jobs, db) }
    return !jobs.isEmpty
  }

  private func commit(_ jobs: [Job], _ db: Database) {
    var finishers: [@Sendable () -> Void] = []
    var jobFailed = false
    do {
      try db.inTransaction(.immediate) {
        jobFailed = true
        for job in jobs { finishers.append(try job.run(db)) }
        jobFailed = false
        try beforeCommit(db)
        return .commit
      }
      for finish in finishers { finish() }
    } catch  where jobFailed && jobs.count > 1 {
      for job in jobs { commit([job], db) }
    } catch {
      // The job's own failure, or a transaction that did not begin or end (disk full, locked by another process).
      for job in jobs { job.fail(error) }
    }
  }

  private func scheduleReads() {
    // Each batch gets a new snapshot: a read must see every write that finished before it was asked for.
    pool.asyncRead { snapshot in
      let jobs = self.reads.take()
      if jobs.isEmpty { return }
      switch snapshot {
      case .success(let db):
        for job in jobs {
          do { try job.run(db)() } catch { job.fail(error) }
        }
      case .failure(let error): for job in jobs { job.fail(error) }
      }
      self.scheduleReads()
    }
  }
}

/// Whether an event loop has something to do at the end of its turn.
private final class LoopTurn: Sendable {
  private let isScheduled = Mutex(false)

  /// - Returns: false when it was scheduled already.
  func begin() -> Bool {
    isScheduled.withLock { isScheduled in
      defer { isScheduled = true }
      return !isScheduled
    }
  }

  func end() {
    isScheduled.withLock { $0 = false }
  }
}
