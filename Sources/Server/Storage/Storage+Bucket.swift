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
    eventLoopGroup: any EventLoopGroup, logger: Logger, clock: @escaping @Sendable () -> Timestamp
  ) async throws -> Storage {
    let root = configuration.dataDirectory
    try Posix.makeDirectory(root)
    let index = try UploadIndex.open(dataDirectory: root, loops: Posix.isInMemory(root) ? eventLoopGroup : nil)
    let journal = NodeJournal(index: index)
    var options = R2ClientOptions()
    // A client of ours waits no longer than for a few of these, and is told 503 then.
    options.timeouts.firstByte = .seconds(12)
    options.timeouts.idle = .seconds(15)
    options.retry.maximumAttempts = 3
    let client: R2Client
    do {
      client = try R2Client(
        configuration: bucket.location, credentials: bucket.credentials, options: options,
        eventLoopGroup: eventLoopGroup)
    } catch let error as S3Error {
      throw StartFailure("R2_ENDPOINT: \(error.explanation(bucket.location))")
    }
    let directory = ObjectDirectory(client: client)
    let store = R2BlobStore(
      client: client, directory: directory, budget: PartBudget(bytes: Int(bucket.partMemory.bytes)), scratch: root,
      pool: pool, eventLoopGroup: eventLoopGroup, journal: multiparts(journal, logger), now: clock)
    let resume = configuration.resumeSeconds
    let ledger = R2DownloadLedger(
      client: client, leaseSeconds: configuration.leaseSeconds, resumeSeconds: resume, logger: logger,
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

  /// A note that cannot be written costs little: the bucket's own listing finds the upload when its id has expired.
  private static func multiparts(_ journal: NodeJournal, _ logger: Logger) -> MultipartJournal {
    MultipartJournal(
      began: { key, uploadID in
        do {
          try await journal.began(.init(key: key, uploadID: uploadID))
        } catch {
          logger.warning("a multipart upload is not in the journal", metadata: ["error": "\(error)"])
        }
      },
      ended: { uploadID in
        do {
          try await journal.ended(uploadID)
        } catch {
          logger.warning("a multipart upload stays in the journal", metadata: ["error": "\(error)"])
        }
      })
  }

  /// All nodes know the bucket's secret, and nobody else does.
  private static func salt(_ bucket: BucketConfiguration) -> [UInt8] {
    let key = SymmetricKey(data: Array(bucket.credentials.secretAccessKey.utf8))
    return Array(HMAC<SHA256>.authenticationCode(for: Array("bashupload client hashes".utf8), using: key))
  }
}
