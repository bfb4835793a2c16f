import Logging
import UploadCore

/// One pass of cleanup: the bytes of what is over leave the store, then the rows of what has expired leave the index.
///
/// Costs O(expired): everything is found by index or by the names of expired folders. Safe beside a running server and
/// beside itself: every step can be repeated and none touches what lives.
package struct CleanupRun: Cleaner {
  private static let batchSize = 1000

  private let store: any BlobStore
  private let index: UploadIndex
  private let logger: Logger

  package init(store: any BlobStore, index: UploadIndex, logger: Logger) {
    self.store = store
    self.index = index
    self.logger = logger
  }

  /// - Throws: `DatabaseError` when the index does not work; the store's failures are counted, and the pass goes on.
  package func run(now: Timestamp, dryRun: Bool = false) async throws -> CleanupReport {
    var report = CleanupReport()
    report.dryRun = dryRun
    if dryRun {
      let due = try await index.dueTotal(now: now)
      report.deletedObjects = due.count
      report.freedBytes = due.bytes
      report.forgottenRows = try await index.expiredCount(before: now)
    } else {
      try await deleteDueBlobs(now: now, &report)
      while true {
        let count = try await index.forget(before: now, limit: Self.batchSize)
        report.forgottenRows += count
        if count < Self.batchSize { break }
      }
    }
    try Task.checkCancellation()
    do {
      let swept = try await store.sweep(now: now, dryRun: dryRun)
      report.sweptFiles = swept.files
      report.freedBytes += swept.bytes
    } catch let error as CancellationError {
      throw error
    } catch {
      report.failures += 1
      logger.error("leftovers not swept", metadata: ["error": "\(error)"])
    }
    return report
  }

  /// Everything is in the index, which a cleanup beside the server sees as well.
  package func payDebts(now: Timestamp) async throws -> CleanupReport { CleanupReport() }

  /// Removes the rows of uploads that a crash has left without bytes. Nobody was told their URL. O(in flight).
  ///
  /// Only where no server is running: its uploads are about to get their names.
  package func recover() async throws -> Int {
    var count = 0
    let ids = try await index.unconfirmed()
    for id in ids where try await store.open(id) == nil {
      try await index.remove(id)
      count += 1
    }
    if !ids.isEmpty { try await index.forgetUnconfirmed() }
    return count
  }

  /// Object first, then the row: a crash in between leaves a row, which the next pass finds again.
  private func deleteDueBlobs(now: Timestamp, _ report: inout CleanupReport) async throws {
    while true {
      let due = try await index.dueBlobs(now: now, limit: Self.batchSize)
      var gone: [UploadID] = []
      let sizes = Dictionary(due.map { ($0.row.id, $0.size) }) { $1 }
      for blob in CleanupPlan.expiredBlobs(in: due.map(\.row), now: now, resumeSeconds: 0) {
        do {
          try await store.delete(blob.id)
          gone.append(blob.id)
          report.freedBytes += sizes[blob.id] ?? 0
          CleanupProgress.current?.add(objects: 1, bytes: sizes[blob.id] ?? 0)
          report.reasons[blob.reason.rawValue, default: 0] += 1
        } catch {
          report.failures += 1
          logger.error("object not deleted", metadata: ["id": "\(blob.id.shortened)", "error": "\(error)"])
        }
      }
      try await index.markGone(gone)
      report.deletedObjects += gone.count
      // Also ends when nothing could be deleted: the next pass tries again.
      if due.count < Self.batchSize || gone.isEmpty { return }
    }
  }
}
