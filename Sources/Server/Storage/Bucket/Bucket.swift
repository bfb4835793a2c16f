import NIOCore
import NIOPosix
import R2Client
import Synchronization
import UploadCore

/// How a multipart upload becomes an object of this store.
final class Completion: Sendable {
  private let looks = Atomic(false)

  /// Look for an object before, because the store overwrites what it is told to create only.
  var looksBefore: Bool {
    get { looks.load(ordering: .relaxed) }
    set { looks.store(newValue, ordering: .relaxed) }
  }
}

/// What the store, its writers and its readers share.
struct Bucket: Sendable {
  /// A look before is slower than a condition and as good here: an id is drawn once, and one upload id completes once.
  let completion = Completion()
  let client: R2Client
  let directory: ObjectDirectory
  let budget: PartBudget
  /// Parts that are sent from files at one time: each holds pieces on its way and the buffers of a connection.
  let spooledSends = PartBudget(bytes: 12, partSize: 1)
  let journal: LeftoverJournal
  /// Where parts wait that find no memory.
  let scratch: String
  let pool: NIOThreadPool
  let eventLoopGroup: any EventLoopGroup
  let now: @Sendable () -> Timestamp

  /// Runs an operation in the store's words of failure.
  func perform<T: Sendable>(_ operation: () async throws -> T) async throws -> T {
    do {
      return try await operation()
    } catch {
      throw BucketFailure.error(error, client)
    }
  }

  /// Deletes the object of an upload.
  func delete(_ id: UploadID) async throws {
    defer { directory.forget(id) }
    try await client.deleteObject(directory.key(of: id))
  }

  /// Runs what has to happen although the task was cancelled: what a client has left must not stay in the bucket. The one
  /// task outside of the tree of tasks, and its creator waits for it.
  static func uncancelled<T: Sendable>(_ operation: @escaping @Sendable () async throws -> T) async throws -> T {
    try await Task { try await operation() }.value
  }
}
