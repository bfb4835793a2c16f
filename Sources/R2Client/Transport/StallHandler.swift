import NIOCore
import NIOHTTP1

/// Ends a connection on which nothing moves: sits between the HTTP codec and AsyncHTTPClient's own handler.
///
/// AsyncHTTPClient's read timeout runs while the caller takes no bytes, and its deadline spans the whole transfer; both would
/// end slow but healthy transfers. Here the network alone is watched: bytes that wait to leave, an answer that is waited
/// for, a read that was asked for. One timer per connection ticks while a request is under way.
final class StallHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  enum Stall: Error {
    case sending
    case firstByte
    case receiving
  }

  private enum Phase {
    case none, sending, waiting, receiving
  }

  private let firstByte: TimeAmount
  private let idle: TimeAmount
  private let tick: TimeAmount

  private var phase = Phase.none
  private var lastMove = NIODeadline.now()
  /// Bytes that had not left at the last tick.
  private var buffered = 0
  /// Whether somebody wants the next bytes.
  private var isReading = false
  private var timer: Scheduled<Void>?

  init(_ timeouts: S3Timeouts) {
    firstByte = TimeAmount(timeouts.firstByte)
    idle = TimeAmount(timeouts.idle)
    tick = max(.milliseconds(5), min(.seconds(1), min(firstByte, idle) / 8))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    lastMove = .now()
    switch unwrapOutboundIn(data) {
    case .head:
      phase = .sending
      startTimer(context)
    case .body: break
    case .end: if phase == .sending { phase = .waiting }
    }
    context.write(data, promise: promise)
  }

  func read(context: ChannelHandlerContext) {
    if !isReading {
      isReading = true
      if phase == .receiving { lastMove = .now() }
    }
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastMove = .now()
    switch unwrapInboundIn(data) {
    case .head, .body: if phase == .waiting { phase = .receiving }
    case .end: phase = .none
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    context.fireChannelReadComplete()
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    stop()
  }

  private func stop() {
    phase = .none
    timer?.cancel()
    timer = nil
  }

  private func startTimer(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    buffered = 0
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: tick) {
      let (handler, context) = bound.value
      handler.timer = nil
      handler.check(context)
    }
  }

  private func check(_ context: ChannelHandlerContext) {
    guard phase != .none else { return }
    let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    let now = NIODeadline.now()
    // Nothing waits to leave, so the sender is slow and not the network; or less than before, so something has left.
    if waiting < buffered || (phase == .sending && waiting == 0) || (phase == .receiving && !isReading) {
      lastMove = now
    }
    buffered = waiting
    let stall: Stall? =
      switch phase {
      case .none: nil
      case .sending: now - lastMove >= idle ? .sending : nil
      case .waiting where waiting > 0: now - lastMove >= idle ? .sending : nil
      case .waiting: now - lastMove >= firstByte ? .firstByte : nil
      case .receiving: now - lastMove >= idle ? .receiving : nil
      }
    if let stall {
      context.fireErrorCaught(stall)
      context.close(promise: nil)
    } else {
      startTimerAgain(context)
    }
  }

  private func startTimerAgain(_ context: ChannelHandlerContext) {
    let known = buffered
    startTimer(context)
    buffered = known
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(
      seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue + attoseconds / 1_000_000_000)
  }

  fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
    .nanoseconds(amount.nanoseconds / divisor)
  }
}
