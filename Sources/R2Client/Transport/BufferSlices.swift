import NIOCore

/// A buffer in pieces, so that TLS and the socket hold copies of a piece and not of the whole.
struct BufferSlices: AsyncSequence, Sendable {
  static let pieceSize = 128 << 10
  let buffer: ByteBuffer

  struct AsyncIterator: AsyncIteratorProtocol {
    var rest: ByteBuffer

    mutating func next() async throws -> ByteBuffer? {
      rest.readableBytes == 0 ? nil : rest.readSlice(length: Swift.min(BufferSlices.pieceSize, rest.readableBytes))
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(rest: buffer)
  }
}
