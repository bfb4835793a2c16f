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
  let logger: Logger

  /// How much of an unwanted body we swallow so that the client gets to read our answer instead of a reset.
  private static let lingerTime = TimeAmount.seconds(2)
  private static let lingerBytes: Int64 = 64 * 1024 * 1024

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
    if !body.isFinished { await linger(body, channel) }
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
    try? await channel.close(mode: .output)
  }

  /// Closing a socket with unread bytes in it resets the connection, and the client may lose our answer with it. So:
  /// say that we are done, swallow a bounded part of what is still coming, then close.
  private func linger(_ body: RequestBody, _ channel: any Channel) async {
    guard channel.isActive else { return }
    let deadline = channel.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
    defer { deadline.cancel() }
    try? await channel.close(mode: .output)
    // A client that waits for 100 Continue sends nothing more: do not invite it.
    body.forgetContinue()
    let limit = body.received + Self.lingerBytes
    while body.received < limit, (try? await body.next()) != nil {}
  }
}
