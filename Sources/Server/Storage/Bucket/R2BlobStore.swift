import NIOCore
import NIOPosix
import R2Client
import Synchronization
import UploadCore

/// Blobs as objects `u/<id>` of one bucket of R2 (or another S3 service), for any number of nodes.
///
/// What is known of an upload travels in the metadata of its object; so every node can answer for every upload, and a
/// node that is lost loses nothing. Memory comes from one `PartBudget`.
///
/// Its errors are `StoreError`, `CancellationError`, and what the callers' own closures throw.
package final class R2BlobStore: BlobStore {
  private static let checkInterval = Duration.seconds(20)
  /// A probe is answered while it still waits: those of Kubernetes do for four seconds.
  private static let checkPatience = Duration.seconds(3)

  /// How often `check` tries conditions too.
  private static let proofInterval = Duration.seconds(40)

  private let bucket: Bucket
  private let checkedUntil = Mutex(ContinuousClock.now)
  /// Nil before `prove`: a cleanup proves nothing.
  private let provedUntil = Mutex<ContinuousClock.Instant?>(nil)

  /// - Parameters:
  ///   - client: of the bucket. Stays the caller's to shut down.
  ///   - directory: what is remembered of the bucket's uploads; shared with the catalog.
  ///   - budget: shared by all transfers of the process.
  ///   - scratch: an existing folder for nameless temporary files: parts that find no memory wait there.
  ///   - journal: told of what failures may leave.
  package init(
    client: R2Client, directory: ObjectDirectory, budget: PartBudget, scratch: String, pool: NIOThreadPool,
    eventLoopGroup: any EventLoopGroup, journal: LeftoverJournal = .none, now: @escaping @Sendable () -> Timestamp
  ) {
    bucket = Bucket(
      client: client, directory: directory, budget: budget, journal: journal, scratch: scratch, pool: pool,
      eventLoopGroup: eventLoopGroup, now: now)
  }

  package func create(_ draft: UploadRecord, declaredSize: Int64?) async throws -> any BlobWriter {
    try R2BlobWriter(draft, declaredSize: declaredSize, in: bucket)
  }

  /// Costs nothing when the upload is known; the bytes may have gone meanwhile, which `prepare` tells.
  package func open(_ id: UploadID) async throws -> (any BlobReader)? {
    guard let object = try await bucket.directory.record(id) else { return nil }
    return R2BlobReader(object, in: bucket)
  }

  /// Removes the object. A digest beside it goes with the claims, when the id has expired.
  package func delete(_ id: UploadID) async throws {
    let bucket = bucket
    try await bucket.perform {
      try await Bucket.uncancelled { try await bucket.delete(id) }
    }
  }

  /// Removes what has expired: blobs, multipart uploads that nobody finished, then claims, digests and tombstones.
  ///
  /// The report counts blobs, and unfinished multipart uploads as files without bytes; claims and what else lies beside
  /// the blobs are bookkeeping and are not counted. Multipart uploads of living ids are the journal's to abort.
  package func sweep(now: Timestamp, dryRun: Bool) async throws -> SweepReport {
    try await bucket.perform { try await BucketSweep(bucket, now: now, dryRun: dryRun).run() }
  }

  /// A bucket has no end that we could know.
  package func freeSpace() throws -> Int64? { nil }

  /// Proves that the bucket answers, that the key may list it, and now and then that the store keeps conditions. A good
  /// answer is good for `checkInterval`: probes come often, and a listing is billed.
  package func check() async throws {
    if checkedUntil.withLock({ $0 > .now }) { return }
    try await bucket.perform { try await Self.inTime { try await self.askBucket() } }
    if let until = provedUntil.withLock({ $0 }), until <= .now, let proof = proof() {
      do {
        try await Self.inTime { try await proof.runShort() }
        provedUntil.withLock { $0 = .now + Self.proofInterval }
      } catch let lack as BucketProof.Lack {
        throw BucketFailure.unavailable(lack.description)
      } catch {
        // The listing has shown that the store answers; the next check tries again.
      }
    }
    checkedUntil.withLock { $0 = .now + Self.checkInterval }
  }

  /// Proves at the start that the store can do all that the promises need.
  ///
  /// - Throws: `BucketProof.Lack`, `StoreError`.
  package func prove() async throws {
    guard let proof = proof() else { return }
    let completesOnce = try await bucket.perform { try await proof.run() }
    bucket.completion.looksBefore = !completesOnce
    provedUntil.withLock { $0 = .now + Self.proofInterval }
  }

  private func proof() -> BucketProof? {
    BucketProof(bucket.client, journal: bucket.journal, now: bucket.now())
  }

  private func askBucket() async throws {
    _ = try await bucket.client.listObjectsV2(maxKeys: 1)
  }

  private static func inTime(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: checkPatience)
        throw BucketFailure.unavailable("the bucket gives no answer in \(checkPatience)")
      }
      try await group.next()
      group.cancelAll()
    }
  }
}
