import NIOCore

/// The pieces of a body, handed out no faster than the event loops do what they are given.
///
/// AsyncHTTPClient takes the next piece until the loop of its connection says that the socket is full. A loop that is busy
/// with others says so late: whole parts, copied once more by TLS, would then wait in its queue.
struct PacedBody<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable where Pieces.Element == ByteBuffer {
  /// Bytes between two looks at the loops, each of which wakes them.
  private static var stride: Int { 512 << 10 }

  let pieces: Pieces
  /// One of them has the connection, and nobody says which.
  let eventLoops: any EventLoopGroup

  struct AsyncIterator: AsyncIteratorProtocol {
    var pieces: Pieces.AsyncIterator
    let eventLoops: any EventLoopGroup
    var ahead = 0

    mutating func next() async throws -> ByteBuffer? {
      if ahead >= PacedBody.stride {
        ahead = 0
        let turns = eventLoops.makeIterator().map { $0.submit {} }
        // A loop that has been shut down has nothing left to do.
        for turn in turns { try? await turn.get() }
      }
      let piece = try await pieces.next()
      ahead += piece?.readableBytes ?? 0
      return piece
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator(), eventLoops: eventLoops)
  }
}
