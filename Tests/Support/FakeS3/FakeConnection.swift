import Foundation
import NIOCore
import NIOHTTP1

/// One connection of a small HTTP server that answers from memory, or spoils the answer.
final class FakeConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// Asked when a head has come: what goes wrong with this call.
  typealias Fate = @Sendable (FakeS3Request) -> (fault: FakeS3Fault, retryAfter: Int?)?
  typealias Answer = @Sendable (FakeS3Request) -> FakeS3Reply

  private let fate: Fate
  private let answer: Answer
  private var request: FakeS3Request?
  private var fault: FakeS3Fault?
  private var retryAfter: Int?
  /// The rest of the connection is ignored.
  private var isDeaf = false

  init(fate: @escaping Fate, answer: @escaping Answer) {
    self.fate = fate
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDeaf else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      let request = FakeS3Request(head)
      self.request = request
      (fault, retryAfter) = fate(request).map { ($0.fault, $0.retryAfter) } ?? (nil, nil)
      if fault == .stall {
        isDeaf = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
      } else if fault == .reset {
        end(context)
      }
    case .body(var bytes): request?.body.writeBuffer(&bytes)
    case .end:
      guard let request else { return }
      self.request = nil
      respond(context, request)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func respond(_ context: ChannelHandlerContext, _ request: FakeS3Request) {
    var reply: FakeS3Reply
    switch fault {
    case .internalError: reply = .error(500, "InternalError", "on purpose")
    case .unavailable: reply = .error(503, "SlowDown", "on purpose")
    case .throttled: reply = .error(429, "TooManyRequests", "on purpose")
    case .errorInAnswer:
      reply = .error(500, "InternalError", "on purpose")
      reply.status = .ok
    default: reply = answer(request)
    }
    switch fault {
    case .lostAnswer: return end(context)
    case .errorAfterEffect: reply = .error(500, "InternalError", "on purpose, after the effect")
    default: break
    }
    if let retryAfter { reply.headers.add(name: "retry-after", value: "\(retryAfter)") }
    write(context, reply, request)
  }

  private func write(_ context: ChannelHandlerContext, _ reply: FakeS3Reply, _ request: FakeS3Request) {
    let isHead = request.head.method == .HEAD
    var headers = reply.headers
    headers.replaceOrAdd(name: "date", value: FakeBucket.httpDate(Date()))
    headers.add(name: "x-amz-request-id", value: "fake-request")
    if reply.status != .noContent {
      headers.add(name: "content-length", value: "\(reply.length ?? reply.body.readableBytes)")
    }
    context.write(
      wrapOutboundOut(.head(.init(version: .http1_1, status: reply.status, headers: headers))), promise: nil)
    var body = isHead ? ByteBuffer() : reply.body
    if fault == .truncatedAnswer || fault == .stalledAnswer {
      isDeaf = true
      let half = body.readSlice(length: body.readableBytes / 2) ?? ByteBuffer()
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(half))), promise: nil)
      if fault == .truncatedAnswer { end(context) }
      return
    }
    if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    if !request.head.isKeepAlive { end(context) }
  }

  private func end(_ context: ChannelHandlerContext) {
    isDeaf = true
    context.close(promise: nil)
  }
}
