import Crypto
import NIOCore
import NIOPosix
import Synchronization

/// The SHA-256 of an upload, part by part in their order, on the thread pool beside the transfer.
///
/// Not Sendable: belongs to its writer.
final class PartHash {
  /// What the pool's thread and the writer share.
  private final class Shared: Sendable {
    let hash = Mutex(SHA256())
  }

  /// Below this a trip to another thread costs more than the hash.
  private static let inlineSize = 16 << 10

  private let pool: NIOThreadPool
  private let eventLoop: any EventLoop
  private let shared = Shared()
  private var running: EventLoopFuture<Void>

  init(_ bucket: Bucket) {
    pool = bucket.pool
    eventLoop = bucket.eventLoopGroup.any()
    running = eventLoop.makeSucceededVoidFuture()
  }

  /// Begins to hash the next part, when the one before is done.
  ///
  /// - Returns: when the bytes are not needed any more.
  func add(_ part: PartBuffer) async throws -> EventLoopFuture<Void> {
    try await running.get()
    let shared = shared
    if part.count <= Self.inlineSize, !part.isSpooled {
      try shared.hash.withLock { try part.update(&$0) }
    } else {
      running = pool.runIfActive(eventLoop: eventLoop) { try shared.hash.withLock { try part.update(&$0) } }
    }
    return running
  }

  /// The digest of all parts.
  func finish() async throws -> [UInt8] {
    try await running.get()
    return shared.hash.withLock { Array($0.finalize()) }
  }
}
