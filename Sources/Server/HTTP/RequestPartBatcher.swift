import NIOCore
import NIOHTTP1

/// Hands on what one read of the socket has brought as one element.
///
/// The back-pressure of `NIOAsyncChannel` counts elements: head, body and end of a small request, one by one, would stop
/// and start the reading of the socket for every request (two system calls), and cost a step of the task each.
///
/// What an element may hold is limited: one read of the smallest requests, or of a body in chunks of a byte, would otherwise
/// become some thousand parts, and much more memory than the read.
final class RequestPartBatcher: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = [HTTPServerRequestPart]

  /// A client sends more requests at once than are kept for it.
  struct TooManyRequests: Error {}

  /// Requests in one read.
  static let maximumRequests = 32
  /// Parts in one read, from which on small pieces of a body are put together.
  private static let manyParts = 64
  /// Bytes.
  private static let smallPiece = 1024

  private var parts: [HTTPServerRequestPart] = []
  private var requests = 0
  /// Nothing of this connection is taken any more.
  private var isOver = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isOver { return }
    let part = unwrapInboundIn(data)
    switch part {
    case .head:
      requests += 1
      if requests > Self.maximumRequests {
        isOver = true
        handOn(context)
        return context.fireErrorCaught(TooManyRequests())
      }
    case .body(let piece):
      if parts.count >= Self.manyParts, piece.readableBytes <= Self.smallPiece, case .body(var whole)? = parts.last {
        parts.removeLast()
        whole.writeImmutableBuffer(piece)
        parts.append(.body(whole))
        return
      }
    case .end: break
    }
    parts.append(part)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    handOn(context)
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    handOn(context)
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    handOn(context)
    context.fireChannelInactive()
  }

  private func handOn(_ context: ChannelHandlerContext) {
    requests = 0
    guard !parts.isEmpty else { return }
    context.fireChannelRead(wrapInboundOut(parts))
    parts = []
  }
}
