import NIOCore
import UploadCore

/// Where the bytes of uploads live. Knows nothing of downloads, limits or HTTP.
///
/// What every implementation keeps (`BlobStoreContract` in the test kit):
/// - a blob is invisible until `publish`, and after it whole and durable;
/// - a writer that is discarded, or dies with the process, leaves nothing behind that `sweep` does not remove;
/// - deleting what is not there is no error.
package protocol BlobStore: Sendable {
  /// Begins a blob. Nothing is visible before `publish`.
  ///
  /// - Parameter draft: what is known of the upload by now: all but its size and digest. A remote store keeps it beside
  ///   the bytes.
  func create(_ draft: UploadRecord, declaredSize: Int64?) async throws -> any BlobWriter

  /// Opens a blob for reading; nil when there is none with this id.
  func open(_ id: UploadID) async throws -> (any BlobReader)?

  /// Removes a blob.
  func delete(_ id: UploadID) async throws

  /// Removes what crashes and lost indexes have left: unfinished writes of dead processes, and blobs whose id has
  /// expired before `now`. Costs O(leftovers).
  ///
  /// - Parameter dryRun: only count.
  func sweep(now: Timestamp, dryRun: Bool) async throws -> SweepReport

  /// Bytes that can still be written; nil when the store has no such limit.
  func freeSpace() throws -> Int64?

  /// Proves that the store is usable, and now and then that it keeps what it must. For `/readyz`.
  func check() async throws

  /// Proves, before anything is served, that the store can do all that the promises need.
  ///
  /// - Throws: `StoreError`, or what is missing in one line.
  func prove() async throws
}

/// One blob being written. Belongs to one task.
package protocol BlobWriter: AnyObject {
  /// Takes the bytes that `next` hands out until it returns nil, and makes them durable without showing them.
  ///
  /// Asks for the next piece when the store can take it: that is the back-pressure.
  func receive(_ next: () async throws -> ByteBuffer?) async throws -> BlobDigest

  /// Makes the finished blob visible under its id, durably.
  func publish() async throws

  /// Drops the blob. Must be called on every way that does not end in `publish`; never throws.
  func discard() async
}

/// What a sweep has removed, or would remove.
package struct SweepReport: Sendable, Hashable {
  package var files = 0
  package var bytes: Int64 = 0
  /// What could not be removed and is left to the next sweep, in a line each.
  package var problems: [String] = []

  package init() {}
}

/// What a finished blob is.
package struct BlobDigest: Sendable, Hashable {
  package var size: Int64
  package var sha256: [UInt8]
}

/// One blob, open for reading.
package protocol BlobReader: Sendable {
  var size: Int64 { get }

  /// The blob as a file of this machine, for sendfile; nil in a remote store.
  var file: OpenFile? { get }

  /// Makes sure that the bytes of `range` will come, before an answer is begun with them.
  ///
  /// - Returns: false when the blob has gone since it was opened.
  func prepare(_ range: Range<Int64>) async throws -> Bool

  /// Hands out the bytes of `range` in order, in pieces; asks for the next piece when `body` has returned.
  func read(
    _ range: Range<Int64>, allocator: ByteBufferAllocator, _ body: (ByteBuffer) async throws -> Void
  ) async throws
}

extension BlobReader {
  /// An open file cannot go.
  package func prepare(_ range: Range<Int64>) async throws -> Bool { true }
}
