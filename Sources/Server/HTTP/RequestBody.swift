import NIOCore
import NIOHTTP1

/// The body of one request, read piece by piece: nothing is read from the socket before it is asked for here.
///
/// Not Sendable: belongs to the task of its connection.
package final class RequestBody {
  private var iterator: NIOAsyncChannelInboundStream<[HTTPServerRequestPart]>.AsyncIterator
  private let watch: NIOLoopBound<ConnectionWatch>
  /// What has been read and not been asked for yet, the next part last.
  private var pending: [HTTPServerRequestPart] = []
  /// Sends `100 Continue`; nil when the client does not wait for it, or has got it.
  private var sendContinue: (() async throws -> Void)?
  /// Bytes handed out so far.
  package private(set) var received: Int64 = 0
  /// The body has been read to its end.
  package private(set) var isFinished = false

  init(
    iterator: NIOAsyncChannelInboundStream<[HTTPServerRequestPart]>.AsyncIterator,
    watch: NIOLoopBound<ConnectionWatch>
  ) {
    self.iterator = iterator
    self.watch = watch
  }

  /// The client still waits for `100 Continue`: it has sent no byte of the body, and will not if we refuse now.
  package var isAwaitingContinue: Bool { sendContinue != nil }

  func expectContinue(_ send: @escaping () async throws -> Void) {
    sendContinue = send
  }

  /// Never invites the body: the answer has been given.
  func forgetContinue() {
    sendContinue = nil
  }

  /// The next request head on the connection, or nil when the peer has closed it. Rewinds the body.
  func nextHead() async throws -> HTTPRequestHead? {
    isFinished = true
    guard let part = try await nextPart() else { return nil }
    guard case .head(let head) = part else { throw ConnectionClosed() }
    isFinished = false
    received = 0
    sendContinue = nil
    return head
  }

  /// The next piece, nil at the end. The first call answers `100 Continue` if the client waits for it.
  ///
  /// - Throws: `PeerTimeout`, `HTTPParserError` for broken framing, `ConnectionClosed` when the peer has gone.
  package func next() async throws -> ByteBuffer? {
    if isFinished { return nil }
    if let send = sendContinue {
      sendContinue = nil
      try await send()
    }
    if pending.isEmpty { watch.value.enter(.body) }
    let part = try await nextPart()
    watch.value.enter(.working)
    switch part {
    case .body(let buffer):
      received += Int64(buffer.readableBytes)
      return buffer
    case .end:
      isFinished = true
      return nil
    case .head, nil:
      throw ConnectionClosed()
    }
  }

  private func nextPart() async throws -> HTTPServerRequestPart? {
    if let part = pending.popLast() { return part }
    guard let parts = try await iterator.next() else { return nil }
    pending = parts.reversed()
    return pending.popLast()
  }
}

/// The peer closed the connection in the middle of a message.
struct ConnectionClosed: Error {}
