import NIOCore

/// Watches one connection for a peer that stalls or trickles, and ends it.
///
/// It sits below the HTTP codec and sees bytes only. The connection's loop tells it what the connection is waiting for;
/// a repeated task looks at the clock. It never ends a connection that *we* hold back: time counts against the peer
/// only while we wait for it. (SwiftNIO's IdleStateHandler cannot tell the two apart.)
final class ConnectionWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// What the connection waits for.
  enum Phase {
    /// A request head. Silence is allowed for `idleTimeout` on a connection that has served a request.
    case head(served: Bool)
    /// More of a request body.
    case body
    /// The peer to take what we send.
    case response
    /// Ourselves (disk, index): nobody is late.
    case working
  }

  private let limits: ConnectionLimits
  private var phase = Phase.head(served: false)
  private var phaseStart = NIODeadline.now()
  private var sawHeadByte = false
  /// Bytes that came in while the loop waits for a part of the body and got none: chunk extensions, trailers.
  private var framingBytes = 0
  /// More framing than this is no body but an attack: nothing of it ever reaches the size limit. (Reads that are under way
  /// when a part is handed out are well below it.)
  static let largestFraming = 512 * 1024
  /// When the peer last did something that helps, in the current phase.
  private var lastProgress = NIODeadline.now()
  /// The time and bytes of the current rate window; only time in `body` or `response` counts.
  private var windowWaited = TimeAmount.zero
  private var windowBytes = 0
  private var lastAcknowledged: UInt64 = 0
  private var task: RepeatedTask?
  /// Since when a TLS handshake is awaited; nil without TLS, or when it is over.
  private var handshakeStart: NIODeadline?
  /// The answer has been given, and what still comes is swallowed.
  var isLingering = false
  /// Bytes that are dropped here, before anything reads them; nil: none are.
  private var bytesToSwallow: Int64?
  /// The server is shutting down: no further request on this connection.
  private(set) var isDraining = false

  init(limits: ConnectionLimits) {
    self.limits = limits
  }

  func enter(_ next: Phase) {
    let now = NIODeadline.now()
    if case .body = phase { windowWaited = windowWaited + (now - phaseStart) }
    phase = next
    phaseStart = now
    lastProgress = now
    framingBytes = 0
    if case .head = next { sawHeadByte = false }
  }

  /// Ends the connection at once if it is between two requests, else after the response in progress.
  func drain(_ channel: any Channel) {
    isDraining = true
    if isLingering { return channel.close(promise: nil) }
    if case .head = phase, !sawHeadByte { channel.close(promise: nil) }
  }

  /// Until `handshakeIsOver` nothing that is written reaches the peer: no answer can be given, only an end.
  func awaitHandshake() {
    handshakeStart = NIODeadline.now()
  }

  func handshakeIsOver() {
    handshakeStart = nil
  }

  /// From now on drops what comes, at most so many bytes; then, or when nothing comes, closes the connection.
  func swallow(_ bytes: Int64, _ channel: any Channel) {
    bytesToSwallow = bytes
    enter(.body)
    // The reader before may have stopped asking, and does not ask again.
    channel.pipeline.fireUserInboundEventTriggered(BeginSwallowing())
  }

  /// Tells the watch, in the pipeline, to ask for bytes by itself.
  private struct BeginSwallowing: Sendable {}

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is BeginSwallowing { return context.read() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if bytesToSwallow != nil { return context.read() }
    context.fireChannelReadComplete()
  }

  func channelActive(context: ChannelHandlerContext) {
    startTicking(context)
    context.fireChannelActive()
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { startTicking(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    task?.cancel()
    task = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    task?.cancel()
    task = nil
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = NIODeadline.now()
    if case .head = phase, !sawHeadByte {
      sawHeadByte = true
      phaseStart = now
    }
    lastProgress = now
    let count = unwrapInboundIn(data).readableBytes
    windowBytes += count
    if let left = bytesToSwallow {
      bytesToSwallow = left - Int64(count)
      if left < Int64(count) { context.close(promise: nil) }
      return
    }
    if case .body = phase {
      framingBytes += count
      if framingBytes > Self.largestFraming { return end(context, .framingTooLong(limit: Self.largestFraming)) }
    }
    context.fireChannelRead(data)
  }

  private func startTicking(_ context: ChannelHandlerContext) {
    guard task == nil else { return }
    let shortest = min(limits.headerTimeout, limits.idleTimeout)
    let interval = TimeAmount.nanoseconds(min(max(shortest.nanoseconds / 4, 50_000_000), 1_000_000_000))
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let boundContext = NIOLoopBound(context, eventLoop: context.eventLoop)
    task = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      bound.value.tick(boundContext.value, interval: interval)
    }
  }

  private func tick(_ context: ChannelHandlerContext, interval: TimeAmount) {
    let now = NIODeadline.now()
    if let start = handshakeStart {
      if now - start >= limits.headerTimeout { context.close(promise: nil) }
      return
    }
    switch phase {
    case .working:
      return
    case .head(let served):
      let limit = sawHeadByte || !served ? limits.headerTimeout : limits.idleTimeout
      guard now - phaseStart >= limit else { return }
      end(context, sawHeadByte ? .headerTimeout(seconds: limit.wholeSeconds) : .idle)
    case .body:
      windowWaited = windowWaited + (now - phaseStart)
      phaseStart = now
      if now - lastProgress >= limits.idleTimeout {
        end(context, .bodyStalled(seconds: limits.idleTimeout.wholeSeconds))
      } else if isTooSlow() {
        end(context, .tooSlow(bytesPerSecond: limits.minimumRate))
      }
    case .response:
      guard let socket = SocketState.of(context.channel) else { return }
      let moved = socket.acknowledgedBytes &- lastAcknowledged
      lastAcknowledged = socket.acknowledgedBytes
      if moved > 0 { lastProgress = now }
      windowBytes += Int(clamping: moved)
      // With nothing in flight it is we who are late, not the peer.
      windowWaited = socket.unacknowledgedBytes == 0 ? .zero : windowWaited + interval
      if now - lastProgress >= limits.idleTimeout || isTooSlow() {
        // The response has begun: there is nothing left to say, only to close. Writes in progress fail.
        context.close(promise: nil)
      }
    }
  }

  /// At the end of each rate window: was the peer too slow? Starts the next window.
  private func isTooSlow() -> Bool {
    guard limits.minimumRate > 0, windowWaited >= limits.idleTimeout else { return false }
    let needed = Double(limits.minimumRate) * Double(windowWaited.nanoseconds) / 1e9
    defer {
      windowBytes = 0
      windowWaited = .zero
    }
    return Double(windowBytes) < needed
  }

  /// Hands the reason to the connection's loop, which answers (408) and closes.
  private func end(_ context: ChannelHandlerContext, _ reason: PeerTimeout) {
    phase = .working
    if bytesToSwallow != nil { return context.close(promise: nil) }
    context.fireErrorCaught(reason)
  }
}

/// Stands behind TLS, and tells the watch when the handshake is over: the first byte of a request has come through it.
final class HandshakeNotice: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let watch: ConnectionWatch

  init(_ watch: ConnectionWatch) {
    self.watch = watch
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    watch.handshakeIsOver()
    context.fireChannelRead(data)
  }
}

/// Why a connection was ended while it waited for its peer.
enum PeerTimeout: Error {
  case idle
  case headerTimeout(seconds: Int)
  case bodyStalled(seconds: Int)
  case tooSlow(bytesPerSecond: Int)
  /// Not a matter of time, but of a peer that sends for ever and says nothing.
  case framingTooLong(limit: Int)
}

extension TimeAmount {
  var wholeSeconds: Int { Int(nanoseconds / 1_000_000_000) }
}
