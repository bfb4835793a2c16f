import Crypto
import FakeS3
import Foundation
import NIOCore
import NIOPosix
import R2Client
import Server
import Synchronization
import TestKit
import UploadCore

/// A bucket store over the fake or over radosgw, and what it has asked.
struct BucketFixture {
  /// How a fixture differs from the usual one.
  struct Options {
    /// Small, so that tests of large uploads stay small.
    var partSize = 16 << 10
    var budget = 1 << 20
    var retry = RetryPolicy()
    /// R2 allows one write of a key in a second; nil allows any number.
    var writeInterval: Duration?
    var patience: Duration = .seconds(30)
    /// Long before the clocks of other tests: a sweep of a shared bucket must not meet their uploads.
    var now = Timestamp(seconds: 1_710_000_000)
  }

  /// Told of by the client and the store.
  final class Log: Sendable {
    let reports = Mutex<[S3OperationReport]>([])
    let openMultiparts = Mutex<Set<String>>([])
    let owed = Mutex<Set<UploadID>>([])

    /// Successful calls by operation; forgets them.
    func takeCounts() -> [S3Operation: Int] {
      reports.withLock { reports in
        defer { reports = [] }
        return reports.reduce(into: [:]) { $0[$1.operation, default: 0] += 1 }
      }
    }
  }

  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  let fake: FakeS3?
  let client: R2Client
  /// Of another node: with connections of its own, and with the usual repetitions.
  let otherClient: R2Client
  let options: Options
  let clock: TestClock
  let log: Log
  let scratch: Scratch
  let budget: PartBudget
  let directory: ObjectDirectory
  let store: R2BlobStore

  /// Over the fake, with R2's rules for small numbers.
  static func onFake(_ options: Options = Options(), _ test: (BucketFixture, FakeS3) async throws -> Void) async throws
  {
    var rules = FakeS3Rules()
    rules.minimumPartSize = min(rules.minimumPartSize, options.partSize)
    rules.writeInterval = options.writeInterval
    let fake = try await FakeS3.start(rules)
    let place = R2Configuration(endpoint: fake.endpoint, region: rules.region, bucket: rules.bucket)
    let keys = S3Credentials(accessKeyID: rules.accessKeyID, secretAccessKey: rules.secretAccessKey)
    do {
      try await with(place, keys, fake, options) { try await test($0, fake) }
    } catch {
      await fake.stop()
      throw error
    }
    await fake.stop()
  }

  /// Over Ceph's radosgw, which Tests/s3-server-rgw starts.
  static func onRadosgw(_ options: Options, _ test: (BucketFixture) async throws -> Void) async throws {
    let (place, keys) = try RadosgwSettings.read()
    try await with(place, keys, nil, options, test)
  }

  private static func with(
    _ place: R2Configuration, _ keys: S3Credentials, _ fake: FakeS3?, _ options: Options,
    _ test: (BucketFixture) async throws -> Void
  ) async throws {
    let log = Log()
    var clientOptions = R2ClientOptions()
    clientOptions.retry = options.retry
    clientOptions.timeouts.firstByte = options.patience
    clientOptions.timeouts.idle = options.patience
    clientOptions.partLimits.minimumSize = min(5 << 20, Int64(options.partSize))
    clientOptions.sleep = { _ in await Task.yield() }
    clientOptions.observe = { report in log.reports.withLock { $0.append(report) } }
    let client = try R2Client(
      configuration: place, credentials: keys, options: clientOptions, eventLoopGroup: Fixture.group)
    clientOptions.retry = RetryPolicy()
    let otherClient = try R2Client(
      configuration: place, credentials: keys, options: clientOptions, eventLoopGroup: Fixture.group)
    let outcome: Result<Void, any Error>
    do {
      try await test(try BucketFixture(client, otherClient, fake, log, options))
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await client.shutdown()
    try await otherClient.shutdown()
    try outcome.get()
  }

  private init(_ client: R2Client, _ otherClient: R2Client, _ fake: FakeS3?, _ log: Log, _ options: Options) throws {
    self.otherClient = otherClient
    (self.client, self.fake, self.log, self.options) = (client, fake, log, options)
    clock = TestClock(options.now)
    scratch = try Scratch()
    budget = PartBudget(bytes: options.budget, partSize: options.partSize)
    directory = ObjectDirectory(client: client)
    store = Self.store(client, directory, budget, scratch, log, clock)
  }

  private static func store(
    _ client: R2Client, _ directory: ObjectDirectory, _ budget: PartBudget, _ scratch: Scratch, _ log: Log,
    _ clock: TestClock
  ) -> R2BlobStore {
    R2BlobStore(
      client: client, directory: directory, budget: budget, scratch: scratch.path, pool: Fixture.pool,
      eventLoopGroup: Fixture.group,
      journal: LeftoverJournal(
        began: { _, uploadID in log.openMultiparts.withLock { _ = $0.insert(uploadID) } },
        ended: { uploadID in log.openMultiparts.withLock { _ = $0.remove(uploadID) } },
        left: { _ in },
        owed: { id, _ in log.owed.withLock { _ = $0.insert(id) } }),
      now: clock.read)
  }

  /// The store of another node: it remembers nothing of this one's.
  func otherNode() -> R2BlobStore {
    Self.store(otherClient, ObjectDirectory(client: otherClient), budget, scratch, log, clock)
  }

  func draft(expiresIn seconds: Int64 = 3600) throws -> UploadRecord {
    var random = SystemRandomNumberGenerator()
    guard let id = UploadID(expiresAt: clock.read().adding(seconds: seconds), using: &random) else {
      throw Missing(description: "the test clock cannot make ids")
    }
    return UploadRecord(
      id: id, name: try FileName("Größe  1.bin"), contentType: "application/x-test", size: 0, sha256: [],
      createdAt: clock.read(), maxDownloads: DownloadLimit(2),
      deleteTokenHash: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
  }

  /// Uploads the way the service does: whatever fails, the writer is discarded.
  @discardableResult
  func upload(
    _ draft: UploadRecord, _ content: [UInt8], declared: Bool, chunk: Int = 5000, to store: R2BlobStore? = nil
  ) async throws -> BlobDigest {
    let writer = try await (store ?? self.store).create(draft, declaredSize: declared ? Int64(content.count) : nil)
    do {
      var rest = content[...]
      let digest = try await writer.receive {
        defer { rest = rest.dropFirst(chunk) }
        return rest.isEmpty ? nil : ByteBuffer(bytes: rest.prefix(chunk))
      }
      try await writer.publish()
      return digest
    } catch {
      await writer.discard()
      throw error
    }
  }

  /// All bytes, the way an uncounted download reads them; nil when there are none with this id.
  func download(_ id: UploadID, from store: R2BlobStore? = nil) async throws -> [UInt8]? {
    guard let reader = try await (store ?? self.store).open(id), try await reader.prepare(0..<reader.size) else {
      return nil
    }
    return try await Self.read(reader, 0..<reader.size)
  }

  static func read(_ reader: any BlobReader, _ range: Range<Int64>) async throws -> [UInt8] {
    var content: [UInt8] = []
    try await reader.read(range, allocator: ByteBufferAllocator()) { content += $0.readableBytesView }
    return content
  }

  static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }

  /// Waits for what happens beside the test; for as long as a slow machine may need.
  static func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return condition()
  }
}
