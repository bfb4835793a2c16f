import NIOCore
import NIOPosix
import R2Client
import UploadCore

/// What the store, its writers and its readers share.
struct Bucket: Sendable {
  let client: R2Client
  let directory: ObjectDirectory
  let budget: PartBudget
  let journal: MultipartJournal
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

  /// Repeats what the client itself cannot: requests whose body is read from a file, answers that break off.
  ///
  /// - Throws: the last error; its `outcomeUnknown` speaks of all attempts.
  func repeating<T: Sendable>(_ operation: () async throws -> T) async throws -> T {
    var attempt = 1
    var wasUnknown = false
    while true {
      do {
        return try await operation()
      } catch var error as S3Error {
        wasUnknown = wasUnknown || error.outcomeUnknown
        error.outcomeUnknown = wasUnknown
        guard attempt < client.options.retry.maximumAttempts, BucketFailure.isTransient(error) else { throw error }
      }
      try await pause(afterAttempt: attempt)
      attempt += 1
    }
  }

  /// Waits as the client does between its attempts.
  func pause(afterAttempt attempt: Int) async throws {
    let policy = client.options.retry
    let longest = min(policy.baseDelay * Double(1 << min(attempt - 1, 20)), policy.maximumDelay)
    try await client.options.sleep(longest * client.options.jitter())
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
