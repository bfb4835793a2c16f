import NIOCore

/// The pieces of a body, each handed out when the event loops have done what they were given before.
///
/// AsyncHTTPClient takes the next piece until the loop of its connection says that the socket is full. A loop that is busy
/// with others says so late: whole parts, copied once more by TLS, would then wait in its queue.
struct PacedBody<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable where Pieces.Element == ByteBuffer {
  let pieces: Pieces
  /// One of them has the connection, and nobody says which.
  let eventLoops: any EventLoopGroup

  struct AsyncIterator: AsyncIteratorProtocol {
    var pieces: Pieces.AsyncIterator
    let eventLoops: any EventLoopGroup
    var isFirst = true

    mutating func next() async throws -> ByteBuffer? {
      if !isFirst {
        let turns = eventLoops.makeIterator().map { $0.submit {} }
        // A loop that has been shut down has nothing left to do.
        for turn in turns { try? await turn.get() }
      }
      isFirst = false
      return try await pieces.next()
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator(), eventLoops: eventLoops)
  }
}
