import GRDB

/// The SQLite file under the index, with one writer and a snapshot reader.
///
/// Design: callers are many small transactions from the event loops; a commit costs an fsync (`synchronous = FULL`: an
/// acknowledged upload and a consumed download survive a power cut). So whatever queues up while one commit runs goes
/// into the next one together, each job in a savepoint of its own. A job's caller hears of success only after the commit.
package final class IndexDatabase: Sendable {
  private struct Job: Sendable {
    /// Runs the job; gives back what to do when the outcome of the commit is known (nil: committed).
    let run: @Sendable (Database) -> @Sendable ((any Error)?) -> Void
    /// The job could not be run at all.
    let fail: @Sendable (any Error) -> Void

    init<T: Sendable>(
      _ continuation: CheckedContinuation<T, any Error>, _ body: @escaping @Sendable (Database) throws -> T
    ) {
      run = { db in
        let result = Result { try body(db) }
        return { failure in continuation.resume(with: failure.map { .failure($0) } ?? result) }
      }
      fail = { continuation.resume(throwing: $0) }
    }
  }

  private let pool: DatabasePool
  private let writes = BatchQueue<Job>()
  private let reads = BatchQueue<Job>()
  /// Called with the name of each call before it runs; tests let the Nth one fail.
  private let beforeCall: @Sendable (String) throws -> Void

  package init(pool: DatabasePool, beforeCall: @escaping @Sendable (String) throws -> Void = { _ in }) {
    self.pool = pool
    self.beforeCall = beforeCall
  }

  /// Runs `body` in a transaction and returns when it is durable.
  package func write<T: Sendable>(
    _ name: String, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws -> T {
    try beforeCall(name)
    return try await withCheckedThrowingContinuation { continuation in
      let starts = writes.add(Job(continuation) { db in try Self.inSavepoint(db, body) })
      if starts { pool.asyncWriteWithoutTransaction { self.drainWrites($0) } }
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

  private func drainWrites(_ db: Database) {
    while true {
      let jobs = writes.take()
      if jobs.isEmpty { return }
      var finishers: [@Sendable ((any Error)?) -> Void] = []
      var failure: (any Error)?
      do {
        try db.inTransaction(.immediate) {
          for job in jobs { finishers.append(job.run(db)) }
          return .commit
        }
      } catch {
        failure = error
        // The transaction did not begin (disk full, locked by another process): no job has run, all have failed.
        if finishers.isEmpty { for job in jobs { job.fail(error) } }
      }
      for finish in finishers { finish(failure) }
    }
  }

  private func scheduleReads() {
    // Each batch gets a new snapshot: a read must see every write that finished before it was asked for.
    pool.asyncRead { snapshot in
      let jobs = self.reads.take()
      if jobs.isEmpty { return }
      switch snapshot {
      case .success(let db): for job in jobs { job.run(db)(nil) }
      case .failure(let error): for job in jobs { job.fail(error) }
      }
      self.scheduleReads()
    }
  }

  private static func inSavepoint<T>(_ db: Database, _ body: (Database) throws -> T) throws -> T {
    var value: Result<T, any Error>?
    try db.inSavepoint {
      let result = try body(db)
      value = .success(result)
      return .commit
    }
    guard let value else { throw DatabaseError(resultCode: .SQLITE_INTERNAL) }
    return try value.get()
  }
}
