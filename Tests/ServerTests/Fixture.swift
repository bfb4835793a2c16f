import Foundation
import GRDB
import Logging
import NIOCore
import NIOPosix
import Server
import Synchronization
import TestKit
import UploadCore

/// A store, an index and a clock in a scratch folder.
struct Fixture {
  static let group = MultiThreadedEventLoopGroup.singleton
  static let pool = NIOThreadPool.singleton

  let scratch: Scratch
  let clock = TestClock(Timestamp(seconds: 1_800_000_000))
  let store: LocalBlobStore
  let index: UploadIndex

  init(
    ways: [LocalBlobStore.Naming] = LocalBlobStore.Naming.allCases,
    beforeCall: @escaping @Sendable (String) throws -> Void = { _ in }
  ) throws {
    scratch = try Scratch()
    store = try LocalBlobStore(
      root: scratch.path, pool: Self.pool, eventLoopGroup: Self.group, ways: ways,
      now: clock.read)
    index = try UploadIndex.open(dataDirectory: scratch.path, beforeCall: beforeCall)
  }

  static var logger: Logger {
    Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  }

  func uploads(_ store: (any BlobStore)? = nil, policy: UploadPolicy = UploadPolicy(), quota: ByteCount? = nil)
    -> UploadService
  {
    let store = store ?? self.store
    let index = index
    return UploadService(
      policy: policy, store: store, catalog: index,
      space: SpaceKeeper(
        minimumFree: ByteCount(0), quota: quota, store: store, storedBytes: { try await index.storedBytes() }),
      now: clock.read, logger: Self.logger)
  }

  func ledger(leaseSeconds: Int64 = 60, resumeSeconds: Int64 = 60) -> SQLiteDownloadLedger {
    SQLiteDownloadLedger(index: index, leaseSeconds: leaseSeconds, resumeSeconds: resumeSeconds)
  }

  func cleanup(_ store: (any BlobStore)? = nil) -> CleanupRun {
    CleanupRun(store: store ?? self.store, index: index, logger: Self.logger)
  }

  /// A row without bytes, as the ledger needs it.
  func makeRow(downloads: Int?, size: Int64, expiresIn seconds: Int64 = 3600) async throws -> UploadRecord {
    var random = SystemRandomNumberGenerator()
    let now = clock.read()
    guard let id = UploadID(expiresAt: now.adding(seconds: seconds), using: &random) else { throw FixtureFailure() }
    let record = UploadRecord(
      id: id, name: nil, contentType: "text/plain", size: size, sha256: Array(repeating: 0, count: 32), createdAt: now,
      maxDownloads: downloads.flatMap { DownloadLimit($0) }, deleteTokenHash: Array(repeating: 0, count: 32))
    try await index.insert(record)
    return record
  }

  /// Uploads `content` the way a route does.
  func upload(
    _ content: [UInt8], _ request: UploadRequest = .plain, to service: UploadService
  ) async throws -> UploadService.Receipt {
    var rest = content[...]
    var request = request
    request.declaredSize = Int64(content.count)
    return try await service.receive(request, expectedDigest: nil) {
      guard !rest.isEmpty else { return nil }
      defer { rest = rest.dropFirst(50_000) }
      return ByteBuffer(bytes: rest.prefix(50_000))
    }
  }

  /// Every blob file under the data directory.
  func files() throws -> [String] {
    let all = FileManager.default.enumerator(atPath: scratch.path)?.compactMap { $0 as? String } ?? []
    return all.filter { path in
      guard path.hasPrefix("u/") || path.hasPrefix("tmp/") else { return false }
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: scratch.path + "/" + path, isDirectory: &isFolder)
        && !isFolder.boolValue
    }
  }
}

struct FixtureFailure: Error {}

extension UploadRequest {
  static var plain: UploadRequest {
    UploadRequest(
      name: nil, contentType: nil, declaredSize: nil, expirationSeconds: nil, maxDaysHeader: nil,
      maxDownloadsHeader: nil)
  }
}

/// A clock that stands still until it is told otherwise.
final class TestClock: Sendable {
  private let time: Mutex<Timestamp>

  init(_ time: Timestamp) {
    self.time = Mutex(time)
  }

  var read: @Sendable () -> Timestamp { { self.time.withLock { $0 } } }

  func advance(seconds: Int64) {
    time.withLock { $0 = $0.adding(seconds: seconds) }
  }
}

/// Lets the Nth call fail.
final class CallCounter: Sendable {
  struct Failure: Error {}

  private let state: Mutex<(count: Int, failing: Int?)>

  init(failing: Int? = nil) {
    state = Mutex((0, failing))
  }

  var count: Int { state.withLock { $0.count } }

  func call(_ name: String) throws {
    try state.withLock { state in
      state.count += 1
      if state.count == state.failing { throw Failure() }
    }
  }

  func stop() {
    state.withLock { $0.failing = nil }
  }
}
