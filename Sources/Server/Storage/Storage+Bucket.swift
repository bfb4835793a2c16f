import Crypto
import Logging
import NIOCore
import NIOPosix
import R2Client
import UploadCore

extension Storage {
  /// Opens a bucket, with the index of the data directory as this node's journal.
  static func open(
    _ bucket: BucketConfiguration, _ configuration: ServerConfiguration, pool: NIOThreadPool,
    eventLoopGroup: any EventLoopGroup, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
    observe: @escaping @Sendable (S3OperationReport) -> Void
  ) async throws -> Storage {
    LargeBlocks.returnToSystem()
    let root = configuration.dataDirectory
    try Posix.makeDirectory(root)
    let index = try UploadIndex.open(dataDirectory: root, loops: Posix.isInMemory(root) ? eventLoopGroup : nil)
    let journal = NodeJournal(index: index)
    var options = R2ClientOptions()
    // A client of ours waits for three of these at most (a write, the look for it, its removal), and is told 503 then.
    options.timeouts.firstByte = .seconds(10)
    options.timeouts.idle = .seconds(15)
    options.retry.maximumAttempts = 3
    // A store that does not answer in time is not asked again for the same.
    options.retry.patience = .seconds(8)
    options.trustRootsFile = bucket.trustRootsFile
    options.observe = observe
    let client: R2Client
    do {
      client = try R2Client(
        configuration: bucket.location, credentials: bucket.credentials, options: options,
        eventLoopGroup: eventLoopGroup)
    } catch let error as S3Error {
      let setting = error.code == .trustRootsUnreadable ? Setting.sslCertificateFile : .r2Endpoint
      throw StartFailure("\(setting.name): \(error.explanation(bucket.location))")
    }
    let directory = ObjectDirectory(client: client)
    let store = R2BlobStore(
      client: client, directory: directory, budget: PartBudget(bytes: Int(bucket.partMemory.bytes)), scratch: root,
      pool: pool, eventLoopGroup: eventLoopGroup, journal: leftovers(journal, logger, clock), now: clock)
    let resume = configuration.resumeSeconds
    let ledger = R2DownloadLedger(
      client: client, leaseSeconds: configuration.leaseSeconds, resumeSeconds: resume,
      pace: WritePace(isLimited: bucket.location.isR2), logger: logger,
      onConsumed: { id, time in
        try await journal.owe(.init(id: id, key: directory.key(of: id)), due: time.adding(seconds: resume))
      })
    let legacy = LegacyObjects(
      client: client, directory: directory, journal: journal, maxAge: configuration.policy.maxAge)
    let storage = Storage(
      store: store,
      catalog: BucketCatalog(
        directory: directory, ledger: ledger, claims: ClaimStore(client: client), journal: journal),
      ledger: ledger,
      cleaner: BucketCleanup(client: client, store: store, journal: journal, legacy: legacy, logger: logger),
      index: index, clientSalt: salt(bucket), legacy: legacy, client: client)
    do {
      try await store.check()
    } catch let error as StoreError {
      await storage.close()
      throw StartFailure("the bucket cannot be used: \(error.reason)")
    }
    return storage
  }

  /// How long after a write of unknown outcome its object is looked for once more, in seconds: it may take effect late.
  private static let lateWrites: Int64 = 60

  /// A note that cannot be written costs little: the bucket's own listing finds what was left when its id has expired.
  private static func leftovers(
    _ journal: NodeJournal, _ logger: Logger, _ clock: @escaping @Sendable () -> Timestamp
  ) -> LeftoverJournal {
    @Sendable func note(_ what: String, _ write: () async throws -> Void) async {
      do {
        try await write()
      } catch {
        logger.warning("not in the journal: \(what)", metadata: ["error": "\(error)"])
      }
    }
    return LeftoverJournal(
      began: { key, uploadID in
        await note("a multipart upload") { try await journal.began(.init(key: key, uploadID: uploadID)) }
      },
      ended: { uploadID in await note("the end of a multipart upload") { try await journal.ended(uploadID) } },
      left: { uploadID in journal.leave(uploadID) },
      owed: { id, key in
        await note("an object that may have been written") {
          try await journal.owe(.init(id: id, key: key), due: clock().adding(seconds: lateWrites))
        }
      })
  }

  /// All nodes know the bucket's secret, and nobody else does.
  private static func salt(_ bucket: BucketConfiguration) -> [UInt8] {
    let key = SymmetricKey(data: Array(bucket.credentials.secretAccessKey.utf8))
    return Array(HMAC<SHA256>.authenticationCode(for: Array("bashupload client hashes".utf8), using: key))
  }
}
