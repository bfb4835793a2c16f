import NIOCore
import NIOPosix

/// One open file of the local store.
struct LocalBlobReader: BlobReader {
  let openFile: OpenFile
  let pool: NIOThreadPool

  init(file: OpenFile, pool: NIOThreadPool) {
    openFile = file
    self.pool = pool
  }

  var size: Int64 { openFile.size }
  var file: OpenFile? { openFile }

  /// Pieces of 64 KiB, one at a time: more only grows memory (200 slow readers: 73 MiB, with eight ahead 631 MiB).
  private static let pieceSize: Int64 = 64 * 1024

  func read(
    _ range: Range<Int64>, allocator: ByteBufferAllocator, _ body: (ByteBuffer) async throws -> Void
  ) async throws {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = Int(min(Self.pieceSize, range.upperBound - offset))
      let (file, start) = (openFile, offset)
      // A small blob is in the page cache more often than not: a trip to another thread would cost more than the read.
      let piece =
        size <= Self.pieceSize
        ? try file.read(at: start, count: count, allocator: allocator)
        : try await pool.runIfActive { try file.read(at: start, count: count, allocator: allocator) }
      try await body(piece)
      offset += Int64(count)
    }
  }
}
