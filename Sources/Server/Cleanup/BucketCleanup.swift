import Logging
import R2Client
import UploadCore

/// One pass of cleanup over a bucket: what this node owes, what has expired, what older programs have left.
///
/// Costs O(expired): expired objects and claims are at the beginning of their listings, and a listing ends at the first
/// that lives.
package struct BucketCleanup: Cleaner {
  private static let batchSize = 1000

  private let client: R2Client
  private let store: R2BlobStore
  private let journal: NodeJournal
  private let legacy: LegacyObjects
  private let logger: Logger

  package init(client: R2Client, store: R2BlobStore, journal: NodeJournal, legacy: LegacyObjects, logger: Logger) {
    self.client = client
    self.store = store
    self.journal = journal
    self.legacy = legacy
    self.logger = logger
  }

  package func run(now: Timestamp, dryRun: Bool) async throws -> CleanupReport {
    var report = CleanupReport()
    report.dryRun = dryRun
    await payDebts(now: now, &report)
    try Task.checkCancellation()
    await step("expired objects", &report) { report in
      let swept = try await store.sweep(now: now, dryRun: dryRun)
      report.deletedObjects += swept.files
      report.freedBytes += swept.bytes
      if swept.files > 0 { report.reasons["expired", default: 0] += swept.files }
      report.failures += swept.problems.count
      for problem in swept.problems { logger.error("cleanup: \(problem)") }
    }
    try Task.checkCancellation()
    await step("objects of older programs", &report) { try await legacy.clean(now: now, dryRun: dryRun, &$0) }
    return report
  }

  package func recover() async throws -> Int {
    let left = try await journal.multiparts()
    for upload in left { journal.leave(upload.uploadID) }
    return try await abort(left)
  }

  /// Aborts uploads that were begun and will not be finished. What the store refuses is no reason not to serve: it stays in
  /// the journal for the next time, and is found when its id has expired.
  ///
  /// - Returns: how many are gone.
  private func abort(_ uploads: [NodeJournal.Multipart]) async throws -> Int {
    var count = 0
    for upload in uploads {
      do {
        try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID)
      } catch let error as S3Error {
        logger.warning(
          "an unfinished upload is not removed yet", metadata: ["error": "\(error.explanation(client.configuration))"])
        // A store that is not well would make a start wait for each of them.
        if BucketFailure.isSilence(error) { break }
        continue
      }
      try await journal.ended(upload.uploadID)
      count += 1
    }
    return count
  }

  /// The steps do not depend on each other: what one cannot do, the next pass tries again.
  private func step(
    _ name: String, _ report: inout CleanupReport, _ body: (inout CleanupReport) async throws -> Void
  ) async {
    do {
      try await body(&report)
    } catch {
      report.failures += 1
      logger.error("cleanup: \(name) not done", metadata: ["error": "\(error)"])
    }
  }

  package func payDebts(now: Timestamp) async throws -> CleanupReport {
    var report = CleanupReport()
    await payDebts(now: now, &report)
    return report
  }

  private func payDebts(now: Timestamp, _ report: inout CleanupReport) async {
    let dryRun = report.dryRun
    await step("owed deletions", &report) { try await deleteOwed(now: now, dryRun: dryRun, &$0) }
    guard !dryRun else { return }
    await step("unfinished uploads", &report) {
      $0.sweptFiles += try await abort(try await journal.abandonedMultiparts())
    }
  }

  private func deleteOwed(now: Timestamp, dryRun: Bool, _ report: inout CleanupReport) async throws {
    while true {
      let debts = try await journal.due(now: now, limit: Self.batchSize)
      let failures = dryRun ? [] : try await client.deleteObjects(debts.map(\.key))
      // One that cannot be paid must not keep the others from it.
      let unpaid = Set(failures.map(\.key))
      let paid = debts.filter { !unpaid.contains($0.key) }
      report.deletedObjects += paid.count
      if !paid.isEmpty { report.reasons["owed", default: 0] += paid.count }
      if !dryRun { try await journal.settle(paid.map(\.id)) }
      if dryRun || debts.count < Self.batchSize || paid.isEmpty {
        if let first = failures.first { throw BucketFault(first, of: failures.count) }
        return
      }
    }
  }
}
