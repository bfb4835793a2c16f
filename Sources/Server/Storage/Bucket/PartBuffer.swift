import Crypto
import NIOCore
import NIOPosix

/// One part of an upload while it is filled and until it is stored: in memory when the budget has some, else in a file.
struct PartBuffer: Sendable {
  /// What is read from the file at once.
  private static let pieceSize = 64 << 10

  /// Bytes when it is full.
  let capacity: Int
  /// Bytes so far.
  private(set) var count = 0
  private var memory = ByteBuffer()
  private var ticket: PartTicket?
  private var file: SpoolFile?

  /// Takes memory, or a file where there is none; waits for memory only when the disk is full.
  init(capacity: Int, _ bucket: Bucket) async throws {
    self.capacity = capacity
    ticket = bucket.budget.tryTake(capacity)
    if ticket == nil {
      do {
        file = try SpoolFile(in: bucket.scratch)
        return
      } catch StoreError.full {
        ticket = try await bucket.budget.take(capacity)
      }
    }
    // As one block, of which the system gives what is written to: one that grows from small ones stays among them, in an
    // arena of the allocator, and leaves holes there.
    memory = ByteBufferAllocator().buffer(capacity: capacity)
  }

  var room: Int { capacity - count }
  var isSpooled: Bool { file != nil }

  /// Takes bytes, at most `room`. Into a file on this thread, on purpose: into the page cache it costs less than a trip to
  /// another.
  mutating func append(_ bytes: ByteBuffer, _ bucket: Bucket) async throws {
    if let file {
      do {
        try file.write(bytes, at: count)
        count += bytes.readableBytes
        return
      } catch StoreError.full {
        try await moveToMemory(file, bucket)
      }
    }
    memory.writeImmutableBuffer(bytes)
    count += bytes.readableBytes
  }

  private mutating func moveToMemory(_ file: SpoolFile, _ bucket: Bucket) async throws {
    let count = count
    let ticket = try await bucket.budget.take(capacity)
    memory = try await bucket.pool.runIfActive { try file.read(at: 0, count: count) }
    self.ticket = ticket
    self.file = nil
  }

  /// No more bytes will come: what was not needed goes back.
  func close() {
    ticket?.shrink(to: count)
  }

  /// The bytes are not needed any more. (They go with the last copy of this value; the right to them goes now.)
  func release() {
    ticket?.release()
  }

  /// The bytes when they are in memory.
  var inMemory: ByteBuffer? { file == nil ? memory : nil }

  /// Hands out the bytes piece by piece; for those that are in a file.
  func read(_ pool: NIOThreadPool, _ body: (ByteBuffer) async throws -> Void) async throws {
    guard let file else { return try await body(memory) }
    var offset = 0
    while offset < count {
      let (start, length) = (offset, min(Self.pieceSize, count - offset))
      try await body(try await pool.runIfActive { try file.read(at: start, count: length) })
      offset += length
    }
  }

  /// Adds the bytes to a hash. Blocks.
  func update(_ hash: inout SHA256) throws {
    guard let file else { return memory.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
    var offset = 0
    while offset < count {
      let piece = try file.read(at: offset, count: min(Self.pieceSize, count - offset))
      piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
      offset += piece.readableBytes
    }
  }
}
