import Crypto
import NIOCore
import Server
import UploadCore

/// What every `BlobStore` keeps. One suite over all implementations.
package struct BlobStoreContract {
  private let store: any BlobStore
  private var random: SeededRandom
  private let now: Timestamp

  package init(_ store: any BlobStore, seed: UInt64, now: Timestamp) {
    self.store = store
    random = SeededRandom(seed: seed)
    self.now = now
  }

  /// Sizes around every boundary: empty, the small-body limit, a piece, a hash step.
  package static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_048_576, 4_194_303, 4_194_304, 9_000_001]

  package mutating func run() async throws {
    for size in Self.sizes { try await whatIsWrittenIsRead(size: size) }
    try await isInvisibleUntilPublished()
    try await discardLeavesNothing()
    try await deleteIsRepeatable()
    try await namesAreTakenOnce()
    try await sweepRemovesExpiredOnly()
    try await rangesAreExact()
    try await store.check()
  }

  private mutating func id(expiresIn seconds: Int64 = 3600) throws -> UploadID {
    guard let id = UploadID(expiresAt: now.adding(seconds: seconds), using: &random) else {
      throw ContractViolation(description: "the test clock cannot make ids")
    }
    return id
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    var state = random.next() | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }

  private func draft(_ id: UploadID, size: Int?) -> UploadRecord {
    UploadRecord(
      id: id, name: try? FileName("name ü.bin"), contentType: "application/x-test", size: Int64(size ?? 0), sha256: [],
      createdAt: now, maxDownloads: DownloadLimit(3), deleteTokenHash: Array(repeating: 7, count: 32))
  }

  private func receive(_ content: [UInt8], chunk: Int = 100_000, _ writer: any BlobWriter) async throws -> BlobDigest {
    var rest = content[...]
    return try await writer.receive {
      defer { rest = rest.dropFirst(chunk) }
      return rest.isEmpty ? nil : ByteBuffer(bytes: rest.prefix(chunk))
    }
  }

  private func put(_ content: [UInt8], _ id: UploadID, declared: Bool = true) async throws -> BlobDigest {
    let size = declared ? content.count : nil
    let writer = try await store.create(draft(id, size: size), declaredSize: size.map(Int64.init))
    let digest = try await receive(content, writer)
    try await writer.publish()
    return digest
  }

  private func read(_ reader: any BlobReader, _ range: Range<Int64>) async throws -> [UInt8] {
    var content: [UInt8] = []
    try await reader.read(range, allocator: ByteBufferAllocator()) { content += $0.readableBytesView }
    return content
  }

  private mutating func whatIsWrittenIsRead(size: Int) async throws {
    let (id, content) = (try id(), bytes(size))
    // With and without a length, in turn.
    let digest = try await put(content, id, declared: size % 2 == 0)
    try ContractViolation.check(digest.size == Int64(size), "finish tells the size (\(digest.size) of \(size))")
    try ContractViolation.check(
      digest.sha256 == Array(SHA256.hash(data: content)), "finish tells the SHA-256 of \(size) bytes")
    guard let reader = try await store.open(id) else {
      throw ContractViolation(description: "a published blob can be opened")
    }
    try ContractViolation.check(reader.size == Int64(size), "a reader knows the size")
    let got = try await read(reader, 0..<Int64(size))
    try ContractViolation.check(got == content, "what was written is read, \(size) bytes")
    try await store.delete(id)
    // An open file survives its deletion; a remote one may be gone, and then says so before the first byte.
    guard try await reader.prepare(0..<Int64(size)) else { return }
    let again = try await read(reader, 0..<Int64(size))
    try ContractViolation.check(again == content, "an open blob is read whole after its deletion")
  }

  private mutating func rangesAreExact() async throws {
    let (id, content) = (try id(), bytes(300_000))
    _ = try await put(content, id)
    guard let reader = try await store.open(id) else {
      throw ContractViolation(description: "a published blob can be opened")
    }
    for (lower, upper) in [(0, 1), (0, 65_536), (1, 65_537), (65_535, 131_073), (299_999, 300_000), (150_000, 300_000)]
    {
      let got = try await read(reader, Int64(lower)..<Int64(upper))
      try ContractViolation.check(got == Array(content[lower..<upper]), "range \(lower)..<\(upper) is exact")
    }
  }

  private mutating func isInvisibleUntilPublished() async throws {
    for size in [10, 500_000] {
      let id = try id()
      let writer = try await store.create(draft(id, size: nil), declaredSize: nil)
      try ContractViolation.check(try await store.open(id) == nil, "a blob in the making is invisible")
      _ = try await receive(bytes(size), writer)
      try ContractViolation.check(try await store.open(id) == nil, "a finished blob is invisible before publish")
      try await writer.publish()
      try ContractViolation.check(try await store.open(id) != nil, "a published blob is visible")
    }
  }

  private mutating func discardLeavesNothing() async throws {
    for size in [0, 10, 5_000_000] {
      for finished in [false, true] {
        let id = try id()
        let writer = try await store.create(draft(id, size: nil), declaredSize: nil)
        let content = bytes(size)
        if finished {
          _ = try await receive(content, writer)
        } else {
          try await failHalfWay(content, writer)
        }
        await writer.discard()
        await writer.discard()
        try ContractViolation.check(try await store.open(id) == nil, "a discarded blob is invisible")
        try ContractViolation.check(
          try await store.sweep(now: now, dryRun: true).files == 0, "a discarded blob leaves nothing (\(size) bytes)")
      }
    }
  }

  /// The client goes away behind the last piece.
  private func failHalfWay(_ content: [UInt8], _ writer: any BlobWriter) async throws {
    var pieces = [ByteBuffer(bytes: content)]
    do {
      _ = try await writer.receive {
        guard let piece = pieces.popLast() else { throw ContractViolation(description: "the client has gone") }
        return piece
      }
    } catch is ContractViolation {
      return
    }
    throw ContractViolation(description: "receive throws what next throws")
  }

  private mutating func deleteIsRepeatable() async throws {
    let id = try id()
    _ = try await put(bytes(10), id)
    try await store.delete(id)
    try ContractViolation.check(try await store.open(id) == nil, "a deleted blob is gone")
    try await store.delete(id)
  }

  private mutating func namesAreTakenOnce() async throws {
    let (id, first) = (try id(), bytes(10))
    _ = try await put(first, id)
    var second: (any Error)?
    do { _ = try await put(bytes(20), id) } catch { second = error }
    try ContractViolation.check(second != nil, "an id is published once")
    guard let reader = try await store.open(id) else {
      throw ContractViolation(description: "the first blob of an id survives a second one")
    }
    let content = try await read(reader, 0..<reader.size)
    try ContractViolation.check(content == first, "the first blob of an id is untouched by a second one")
  }

  private mutating func sweepRemovesExpiredOnly() async throws {
    let (dies, lives) = (try id(expiresIn: 60), try id(expiresIn: 86_400))
    _ = try await put(bytes(10), dies)
    _ = try await put(bytes(10), lives)
    let later = now.adding(seconds: 2 * 3600)
    let planned = try await store.sweep(now: later, dryRun: true)
    try ContractViolation.check(
      planned.files > 0 && planned.bytes > 0, "sweep finds a blob that nobody knows after its expiry")
    try ContractViolation.check(try await store.open(dies) != nil, "a dry run removes nothing")
    let swept = try await store.sweep(now: later, dryRun: false)
    try ContractViolation.check(swept == planned, "sweep does what the dry run said")
    try ContractViolation.check(try await store.open(dies) == nil, "sweep removes what has expired")
    try ContractViolation.check(try await store.open(lives) != nil, "sweep keeps what lives")
    try ContractViolation.check(
      try await store.sweep(now: later, dryRun: false) == SweepReport(), "a second sweep finds nothing")
  }
}
