import NIOCore
import NIOPosix
import R2Client
import UploadCore

/// What the store, its writers and its readers share.
struct Bucket: Sendable {
  let client: R2Client
  let directory: ObjectDirectory
  let budget: PartBudget
  /// Parts that are sent from files at one time: each holds pieces on its way and the buffers of a connection.
  let spooledSends = PartBudget(bytes: 12, partSize: 1)
  /// Answers that are read at the pace of clients.
  let streams: StreamSlots
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
