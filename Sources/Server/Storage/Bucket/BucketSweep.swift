import R2Client
import UploadCore

/// One pass over what has expired in the bucket. Keys sort by expiry, so it begins at the first key and stops at the first
/// that lives: its cost is what it removes, and at most one page of what it does not.
struct BucketSweep {
  /// Keys in one DeleteObjects.
  static let batchSize = 1000
  /// One more minute before anything goes: clocks differ, and an upload may just be ending.
  private static let grace: Int64 = 60

  private let client: R2Client
  private let directory: ObjectDirectory
  private let dryRun: Bool
  /// Every id whose text sorts before this one is over.
  private let firstLiving: String

  init(_ bucket: Bucket, now: Timestamp, dryRun: Bool) {
    client = bucket.client
    directory = bucket.directory
    self.dryRun = dryRun
    firstLiving = UploadID.firstKey(expiringAt: now.adding(seconds: -Self.grace))
  }

  func run() async throws -> SweepReport {
    var report = SweepReport()
    try await sweepObjects(under: ObjectKey.prefix, owner: { ObjectKey(parsing: $0)?.id }) { id, object in
      if !dryRun { directory.forget(id) }
      report.files += 1
      report.bytes += object.size
    }
    try await sweepMultipartUploads(&report)
    // The claims last: while a blob is there, what says how often it may be downloaded has to be there too.
    if !dryRun { try await sweepObjects(under: ClaimKey.prefix, owner: DigestKey.owner) { _, _ in } }
    return report
  }

  /// Deletes keys; throws when some of them are still there.
  static func delete(_ keys: [String], _ client: R2Client) async throws {
    let failures = try await client.deleteObjects(keys)
    guard let first = failures.first else { return }
    throw BucketFailure.unavailable("\(failures.count) objects could not be deleted: \(first.code) \(first.message)")
  }

  /// Removes what belongs to expired ids, page by page. Keys of nobody (`c/legacy/…`) are passed over; they sort behind all
  /// ids of the next decades.
  private func sweepObjects(
    under prefix: String, owner: (String) -> UploadID?, count: (UploadID, S3ObjectSummary) -> Void
  ) async throws {
    var token: String?
    repeat {
      let page = try await client.listObjectsV2(prefix: prefix, continuationToken: token, maxKeys: Self.batchSize)
      let end = prefix + firstLiving
      let candidates = page.objects.prefix { $0.key.utf8.lexicographicallyPrecedes(end.utf8) }
      let expired = candidates.compactMap { object in owner(object.key).map { (id: $0, object: object) } }
      if !dryRun, !expired.isEmpty { try await Self.delete(expired.map(\.object.key), client) }
      for (id, object) in expired { count(id, object) }
      token = candidates.count == page.objects.count ? page.nextContinuationToken : nil
    } while token != nil
  }

  private func sweepMultipartUploads(_ report: inout SweepReport) async throws {
    var marker: S3MultipartListing.Marker?
    repeat {
      let page = try await client.listMultipartUploads(prefix: ObjectKey.prefix, after: marker)
      var isLivingFound = false
      // The whole page, although it is sorted: not every store says so of this listing.
      for upload in page.uploads {
        guard let id = ObjectKey(parsing: upload.key)?.id else { continue }
        guard id.description < firstLiving else {
          isLivingFound = true
          continue
        }
        if !dryRun { try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID) }
        report.files += 1
      }
      marker = isLivingFound ? nil : page.next
    } while marker != nil
  }
}
