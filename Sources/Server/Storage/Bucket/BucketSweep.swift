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
    var kept: Set<UploadID> = []
    let left = try await sweepObjects(under: ObjectKey.prefix, owner: { ObjectKey(parsing: $0)?.id }) { id, size in
      guard let size else {
        kept.insert(id)
        return
      }
      if !dryRun { directory.forget(id) }
      report.files += 1
      report.bytes += size
    }
    report.problems += left
    try await sweepMultipartUploads(&report)
    // The claims last: while a blob is there, what says how often it may be downloaded has to be there too.
    if !dryRun {
      report.problems += try await sweepObjects(
        under: ClaimKey.prefix, owner: { DigestKey.owner($0).flatMap { kept.contains($0) ? nil : $0 } },
        count: { _, _ in })
    }
    return report
  }

  /// Removes what belongs to expired ids, page by page. Keys of nobody (`c/legacy/…`) are passed over; they sort behind all
  /// ids of the next decades. What the store will not delete does not keep the rest from going.
  ///
  /// - Parameter count: told of every object: its size, nil when it is still there.
  /// - Returns: why objects are still there.
  private func sweepObjects(
    under prefix: String, owner: (String) -> UploadID?, count: (UploadID, Int64?) -> Void
  ) async throws -> [String] {
    var problems: [String] = []
    var token: String?
    repeat {
      let page = try await client.listObjectsV2(prefix: prefix, continuationToken: token, maxKeys: Self.batchSize)
      let end = prefix + firstLiving
      let candidates = page.objects.prefix { $0.key.utf8.lexicographicallyPrecedes(end.utf8) }
      let expired = candidates.compactMap { object in owner(object.key).map { (id: $0, object: object) } }
      let failures = dryRun ? [] : try await client.deleteObjects(expired.map(\.object.key))
      if let first = failures.first { problems.append(BucketFault(first, of: failures.count).description) }
      let left = Set(failures.map(\.key))
      let gone = expired.filter { !left.contains($0.object.key) }
      CleanupProgress.current?.add(objects: gone.count, bytes: gone.reduce(0) { $0 + $1.object.size })
      for (id, object) in expired { count(id, left.contains(object.key) ? nil : object.size) }
      token = candidates.count == page.objects.count ? page.nextContinuationToken : nil
    } while token != nil
    return problems
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
        do {
          if !dryRun { try await client.abortMultipartUpload(upload.key, uploadID: upload.uploadID) }
          report.files += 1
        } catch let error as S3Error where !BucketFailure.isTransient(error) {
          report.problems.append("an unfinished upload was not removed: \(error.code) \(error.message)")
        }
      }
      marker = isLivingFound ? nil : page.next
    } while marker != nil
  }
}
