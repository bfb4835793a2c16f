import NIOCore
import NIOHTTP1

/// Hands on what one read of the socket has brought as one element.
///
/// The back-pressure of `NIOAsyncChannel` counts elements: head, body and end of a small request, one by one, would stop
/// and start the reading of the socket for every request (two system calls), and cost a step of the task each.
final class RequestPartBatcher: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = [HTTPServerRequestPart]

  private var parts: [HTTPServerRequestPart] = []

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    parts.append(unwrapInboundIn(data))
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
    guard !parts.isEmpty else { return }
    context.fireChannelRead(wrapInboundOut(parts))
    parts = []
  }
}
