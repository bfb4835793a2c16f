import NIOCore
import Server
import UploadCore

/// A store that fails where it is told to, before or after the call has had its effect.
struct FailingBlobStore: BlobStore {
  let base: any BlobStore
  let calls: CallCounter
  /// The effect happens and its answer is lost.
  let failsAfterwards: Bool

  func around<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
    if !failsAfterwards { try calls.call(name) }
    let value = try await body()
    if failsAfterwards { try calls.call(name) }
    return value
  }

  func create(_ draft: UploadRecord, declaredSize: Int64?) async throws -> any BlobWriter {
    // A writer that was created and not handed out would be nobody's: creating fails before.
    try calls.call("create")
    return FailingBlobWriter(base: try await base.create(draft, declaredSize: declaredSize), store: self)
  }

  func open(_ id: UploadID) async throws -> (any BlobReader)? { try await around("open") { try await base.open(id) } }
  func delete(_ id: UploadID) async throws { try await around("delete") { try await base.delete(id) } }
  func sweep(now: Timestamp, dryRun: Bool) async throws -> SweepReport {
    try await around("sweep") { try await base.sweep(now: now, dryRun: dryRun) }
  }
  func freeSpace() throws -> Int64? {
    try calls.call("freeSpace")
    return try base.freeSpace()
  }
  func check() async throws { try await around("check") { try await base.check() } }
  func prove() async throws { try await around("prove") { try await base.prove() } }
}

final class FailingBlobWriter: BlobWriter {
  private let base: any BlobWriter
  private let store: FailingBlobStore

  init(base: any BlobWriter, store: FailingBlobStore) {
    self.base = base
    self.store = store
  }

  func receive(_ next: () async throws -> ByteBuffer?) async throws -> BlobDigest {
    try await store.around("receive") {
      try await base.receive {
        try store.calls.call("append")
        return try await next()
      }
    }
  }
  func publish() async throws { try await store.around("publish") { try await base.publish() } }
  func discard() async { await base.discard() }
}
