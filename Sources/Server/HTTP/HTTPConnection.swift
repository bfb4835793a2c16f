import Logging
import NIOCore
import NIOHTTP1

/// One TCP connection: reads requests one after the other, hands each to the handler, and keeps the framing honest.
///
/// Refusals without reading the body close the connection (RFC 9112, 9.3): the rest of the body is never taken for a
/// request.
struct HTTPConnection: Sendable {
  typealias Handler = @Sendable (HTTPRequest, RequestBody, ResponseWriter) async -> Void

  let asyncChannel: NIOAsyncChannel<[HTTPServerRequestPart], ByteBuffer>
  let watch: NIOLoopBound<ConnectionWatch>
  /// The address of the other end, without port.
  let peer: String
  let isSecure: Bool
  let limits: ConnectionLimits
  /// The connections that swallow a body; shared by all.
  let lingering: LingerSlots
  let logger: Logger
  /// What limits count as one client: an IPv6 host has a whole /64 to choose from.
  let network: [UInt8]

  init(
    asyncChannel: NIOAsyncChannel<[HTTPServerRequestPart], ByteBuffer>, watch: NIOLoopBound<ConnectionWatch>,
    peer: String, isSecure: Bool, limits: ConnectionLimits, lingering: LingerSlots, logger: Logger
  ) {
    self.asyncChannel = asyncChannel
    self.watch = watch
    self.peer = peer
    self.isSecure = isSecure
    self.limits = limits
    self.lingering = lingering
    self.logger = logger
    network = ClientAddress(parsing: peer)?.network ?? Array(peer.utf8)
  }

  /// The same connection for a client that has to leave soon.
  var withoutLingering: HTTPConnection {
    HTTPConnection(
      asyncChannel: asyncChannel, watch: watch, peer: peer, isSecure: isSecure, limits: limits,
      lingering: LingerSlots(0), logger: logger)
  }

  /// Serves the connection until either side closes it or the task is cancelled.
  func run(_ handler: Handler) async {
    let channel = asyncChannel.channel
    await withTaskCancellationHandler {
      do {
        try await asyncChannel.executeThenClose { inbound, _ in
          let body = RequestBody(iterator: inbound.makeAsyncIterator(), watch: watch)
          await serve(body, channel, handler)
        }
      } catch {
        logger.trace("connection ended", metadata: ["error": "\(error)"])
      }
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  /// Closes the connection without a word.
  func close() async {
    try? await asyncChannel.executeThenClose { _, _ in }
  }

  private func serve(_ body: RequestBody, _ channel: any Channel, _ handler: Handler) async {
    var served = false
    var keepsAlive = true
    while keepsAlive, channel.isActive {
      do {
        watch.value.enter(.head(served: served))
        guard let head = try await body.nextHead() else { return }
        watch.value.enter(.working)
        keepsAlive = await exchange(head, body, channel, handler)
        served = true
      } catch {
        await answerBrokenRequest(error, channel)
        return
      }
    }
    if !body.isFinished { await Lingering(limits: limits, slots: lingering, watch: watch).swallow(body, channel) }
  }

  /// One request and its response.
  ///
  /// - Returns: whether the connection can carry another one.
  private func exchange(
    _ head: HTTPRequestHead, _ body: RequestBody, _ channel: any Channel, _ handler: Handler
  ) async -> Bool {
    let request: HTTPRequest
    do {
      request = try HTTPRequest(head: head, peer: peer, isSecure: isSecure, limits: limits)
    } catch {
      let writer = ResponseWriter(
        channel: channel, watch: watch, request: nil, isHead: head.method == .HEAD, keepsAlive: false)
      try? await writer.send(error, as: .text)
      return false
    }
    // Whoever asks for another protocol may go on in it, and the parser reads nothing more; a body that nobody reads would
    // be taken for the next request.
    let isLast = request.headers.contains(name: "upgrade") || request.hasBody && ![.PUT, .POST].contains(head.method)
    let keepsAlive = head.isKeepAlive && !isLast && !watch.value.isDraining
    let writer = ResponseWriter(channel: channel, watch: watch, request: request, keepsAlive: keepsAlive)
    let expectations = head.headers[canonicalForm: "expect"]
    guard expectations.allSatisfy({ $0.lowercased() == "100-continue" }) else {
      writer.keepsAlive = false
      try? await writer.send(
        Failure(.expectationFailed, code: "bad-expect", "the only Expect here is 100-continue: leave the field out"),
        as: .text)
      return false
    }
    if !expectations.isEmpty, request.hasBody, request.version.minor == 1 {
      body.expectContinue { try await writer.sendContinue() }
    }
    await handler(request, body, writer)
    guard writer.isFinished, writer.keepsAlive, !watch.value.isDraining else { return false }
    if !body.isFinished, !request.hasBody { _ = try? await body.next() }
    return body.isFinished
  }

  /// The parser, or the clock, gave up on the request: say why if anybody is listening.
  private func answerBrokenRequest(_ error: any Error, _ channel: any Channel) async {
    let failure: Failure
    switch error {
    case PeerTimeout.idle, is ConnectionClosed, HTTPParserError.invalidEOFState:
      return
    case let timeout as PeerTimeout:
      failure = Failure(timeout)
    case let error as HTTPParserError:
      failure = Failure(error, limits)
    case is RequestPartBatcher.TooManyRequests:
      failure = .tooManyRequests
    default:
      return
    }
    let writer = ResponseWriter(channel: channel, watch: watch, request: nil, keepsAlive: false)
    try? await writer.send(failure, as: .text)
    // Who has stood still does not read an answer sooner for being waited for.
    let slots = isSilence(error) ? LingerSlots(0) : lingering
    await Lingering(limits: limits, slots: slots, watch: watch).swallowBytes(channel)
  }

  private func isSilence(_ error: any Error) -> Bool {
    switch error {
    case PeerTimeout.headerTimeout, PeerTimeout.bodyStalled: true
    default: false
    }
  }
}
