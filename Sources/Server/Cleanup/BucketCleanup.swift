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
    await step("owed deletions", &report) { try await payDebts(now: now, dryRun: dryRun, &$0) }
    try Task.checkCancellation()
    await step("expired objects", &report) { report in
      let swept = try await store.sweep(now: now, dryRun: dryRun)
      report.deletedObjects += swept.files
      report.freedBytes += swept.bytes
      if swept.files > 0 { report.reasons["expired", default: 0] += swept.files }
    }
    try Task.checkCancellation()
    await step("objects of older programs", &report) { try await legacy.clean(now: now, dryRun: dryRun, &$0) }
    return report
  }

  package func recover() async throws -> Int {
    let left = try await journal.multiparts()
    for upload in left {
      try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID)
      try await journal.ended(upload.uploadID)
    }
    return left.count
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

  private func payDebts(now: Timestamp, dryRun: Bool, _ report: inout CleanupReport) async throws {
    while true {
      let debts = try await journal.due(now: now, limit: Self.batchSize)
      report.deletedObjects += debts.count
      if !debts.isEmpty { report.reasons["owed", default: 0] += debts.count }
      if dryRun || debts.isEmpty { return }
      if let failure = try await client.deleteObjects(debts.map(\.key)).first { throw BucketFault(failure) }
      try await journal.settle(debts.map(\.id))
      if debts.count < Self.batchSize { return }
    }
  }
}
