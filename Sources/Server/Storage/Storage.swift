import Glibc
import Logging
import NIOCore
import NIOPosix
import R2Client
import UploadCore

/// Everything that keeps uploads, opened together: on the local disk, or in a bucket.
package struct Storage: Sendable {
  package let store: any BlobStore
  package let catalog: any UploadCatalog
  package let ledger: any DownloadLedger
  package let cleaner: any Cleaner
  /// The index of the data directory.
  package let index: UploadIndex
  /// Salt of the client hashes; the same on all nodes that share a bucket.
  package let clientSalt: [UInt8]
  /// Objects of older programs; nil without a bucket.
  package let legacy: LegacyObjects?
  let client: R2Client?

  /// - Parameter observe: told of every attempt of a request to the bucket.
  /// - Throws: `StartFailure`, `IndexFailure`: one line with what to do.
  package static func open(
    _ configuration: ServerConfiguration, pool: NIOThreadPool, eventLoopGroup: any EventLoopGroup,
    checksIntegrity: Bool = true, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
    observe: @escaping @Sendable (S3OperationReport) -> Void = { _ in }
  ) async throws -> Storage {
    let directory = configuration.dataDirectory
    do {
      if let bucket = configuration.bucket {
        return try await open(
          bucket, configuration, pool: pool, eventLoopGroup: eventLoopGroup, logger: logger, clock: clock,
          observe: observe)
      }
      let store = try LocalBlobStore(root: directory, pool: pool, eventLoopGroup: eventLoopGroup, now: clock)
      let index = try UploadIndex.open(
        dataDirectory: directory, checksIntegrity: checksIntegrity, loops: store.isInMemory ? eventLoopGroup : nil)
      return Storage(
        store: store, catalog: index,
        ledger: SQLiteDownloadLedger(
          index: index, leaseSeconds: configuration.leaseSeconds, resumeSeconds: configuration.resumeSeconds),
        cleaner: CleanupRun(store: store, index: index, logger: logger), index: index,
        clientSalt: try await index.clientSalt(), legacy: nil, client: nil)
    } catch let error as StoreError {
      throw StartFailure(explain(error, directory))
    }
  }

  /// Closes what was opened.
  package func close() async {
    try? await client?.shutdown()
    try? index.close()
  }

  /// Proves that the store keeps what the promises need.
  ///
  /// - Throws: `StartFailure`.
  package func prove(_ configuration: ServerConfiguration) async throws {
    do {
      try await store.prove()
    } catch let lack as BucketProof.Lack {
      let endpoint = configuration.bucket?.location.endpoint ?? ""
      throw StartFailure(
        "R2_ENDPOINT \(endpoint): \(lack): one-time downloads would be delivered more than once; use a store that keeps conditions on writes"
      )
    } catch let error as StoreError {
      throw StartFailure(
        configuration.bucket == nil
          ? Self.explain(error, configuration.dataDirectory) : "the bucket cannot be used: \(error.reason)")
    }
  }

  static func explain(_ error: StoreError, _ directory: String) -> String {
    switch error {
    case .full: "DATA_DIR \(directory): the disk is full: free some space, then start again"
    case .system(let operation, let code) where [EACCES, EPERM, EROFS, ENOTDIR, ENOENT].contains(code):
      "DATA_DIR \(directory) cannot be used (\(operation): \(String(cString: strerror(code)))): it must be a folder that this user may write"
    case .system(let operation, let code):
      "DATA_DIR \(directory) cannot be used (\(operation): \(String(cString: strerror(code)))): its file system must be able to create, lock, sync, name and remove files; use another one"
    case .exists, .expired, .unavailable: "DATA_DIR \(directory) cannot be used"
    }
  }
}

/// One `serve` per data directory: two would not know of each other's reservations. Held while the process lives;
/// a crash lets go of it.
final class DataDirectoryLock {
  private let descriptor: CInt

  init(_ directory: String) throws {
    do throws(StoreError) {
      try Posix.makeDirectory(directory)
      descriptor = try Posix.open(directory + "/serve.lock", O_RDWR | O_CREAT, mode: 0o600)
    } catch {
      throw StartFailure(Storage.explain(error, directory))
    }
    // Closed by `deinit`, also when this throws: `self` is complete here.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw StartFailure(
        "DATA_DIR \(directory) is in use by another bashupload serve: stop that one, or set another DATA_DIR")
    }
  }

  deinit {
    close(descriptor)
  }
}
