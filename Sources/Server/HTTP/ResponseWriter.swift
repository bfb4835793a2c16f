import NIOCore
import NIOHTTP1

/// Writes one response. Every write waits until the socket has taken the bytes: that is the back-pressure.
///
/// Not Sendable: belongs to the task of its connection.
package final class ResponseWriter {
  private let channel: any Channel
  private let watch: NIOLoopBound<ConnectionWatch>
  private let request: HTTPRequest?
  /// What has been sent, for the log.
  package private(set) var status: HTTPResponseStatus?
  package private(set) var bytesSent: Int64 = 0
  package private(set) var isFinished = false
  /// The connection can serve another request after this one.
  package var keepsAlive: Bool

  init(channel: any Channel, watch: NIOLoopBound<ConnectionWatch>, request: HTTPRequest?, keepsAlive: Bool) {
    self.channel = channel
    self.watch = watch
    self.request = request
    self.keepsAlive = keepsAlive
  }

  package var allocator: ByteBufferAllocator { channel.allocator }
  /// Bytes can go from file to socket inside the kernel: only without TLS.
  package var canSendFile: Bool { request?.isSecure == false }
  /// The peer has not closed the connection.
  package var isConnected: Bool { channel.isActive }

  /// Closes the connection; from any task. Writes in progress fail.
  package var abort: @Sendable () -> Void {
    let channel = channel
    return { channel.close(promise: nil) }
  }

  /// How many bytes the peer has acknowledged since the connection began; on the connection's event loop only.
  package var acknowledgedBytes: @Sendable () -> UInt64? {
    let channel = channel
    return { channel.eventLoop.inEventLoop ? SocketState.of(channel)?.acknowledgedBytes : nil }
  }

  func sendContinue() async throws {
    try await channel.writeAndFlush(HTTPServerResponsePart.head(.init(version: .http1_1, status: .continue))).get()
  }

  /// A whole response. The body is left out (its length is not) when the request was a HEAD.
  package func send(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, body: ByteBuffer? = nil) async throws {
    var headers = headers
    if status != .noContent, status != .notModified {
      headers.add(name: "content-length", value: String(body?.readableBytes ?? 0))
    }
    writeHead(status, headers)
    if let body, body.readableBytes > 0, request?.method != .HEAD {
      bytesSent += Int64(body.readableBytes)
      channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
    }
    try await finish()
  }

  /// A page of ours.
  func sendPage(_ html: String) async throws {
    let headers: HTTPHeaders = [
      "content-type": "text/html; charset=utf-8", "content-security-policy": Page.contentSecurityPolicy,
      "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
    ]
    try await send(.ok, headers, body: allocator.buffer(string: html))
  }

  /// A text of ours.
  func sendText(_ text: String, status: HTTPResponseStatus = .ok) async throws {
    let headers: HTTPHeaders = [
      "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "x-content-type-options": "nosniff",
    ]
    try await send(status, headers, body: allocator.buffer(string: text))
  }

  /// A value of ours.
  func sendJSON(_ value: some Encodable, extra: HTTPHeaders = [:]) async throws {
    var headers: HTTPHeaders = [
      "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
    ]
    headers.add(contentsOf: extra)
    try await send(.ok, headers, body: try value.json(allocator))
  }

  /// Begins a response with a body of `length` bytes that `write` and `sendFile` will deliver.
  package func start(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, length: Int64) {
    var headers = headers
    headers.add(name: "content-length", value: String(length))
    writeHead(status, headers)
  }

  /// Sends the head alone, ahead of the body.
  package func flush() { channel.flush() }

  package func write(_ buffer: ByteBuffer) async throws {
    let count = Int64(buffer.readableBytes)
    watch.value.enter(.response)
    try await flush(.body(.byteBuffer(buffer)))
    watch.value.enter(.working)
    bytesSent += count
  }

  /// sendfile(2): the bytes never enter this process.
  package func sendFile(_ file: OpenFile, range: Range<Int64>) async throws {
    let region = FileRegion(
      fileHandle: file.handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
    watch.value.enter(.response)
    try await flush(.body(.fileRegion(region)))
    watch.value.enter(.working)
    bytesSent += Int64(range.count)
  }

  package func finish() async throws {
    watch.value.enter(.response)
    try await flush(.end(nil))
    watch.value.enter(.working)
    isFinished = true
  }

  /// Waits until the peer has acknowledged every byte sent so far.
  ///
  /// - Returns: false when the connection is gone. A peer that acknowledges nothing more is ended by `ConnectionWatch`.
  package func waitForAcknowledgement() async -> Bool {
    watch.value.enter(.response)
    defer { watch.value.enter(.working) }
    var pause = Duration.microseconds(200)
    while channel.isActive {
      guard let socket = SocketState.of(channel) else { return false }
      if socket.unacknowledgedBytes == 0 { return true }
      do { try await Task.sleep(for: pause) } catch { return false }
      pause = min(pause * 2, .milliseconds(50))
    }
    return false
  }

  /// Writes a part and waits until the socket has taken it, if it has not at once.
  private func flush(_ part: HTTPServerResponsePart) async throws {
    let written = channel.eventLoop.makePromise(of: Void.self)
    channel.writeAndFlush(part, promise: written)
    guard let outcome = Self.outcome(written.futureResult) else { return try await written.futureResult.get() }
    try outcome.get()
  }

  /// nil when it is not known yet. (Asking a future that is fulfilled through `get` would cost a turn of the loop.)
  private static func outcome(_ future: EventLoopFuture<Void>) -> Result<Void, any Error>? {
    guard future.eventLoop.inEventLoop else { return nil }
    var outcome: Result<Void, any Error>?
    future.assumeIsolated().whenComplete { outcome = $0 }
    return outcome
  }

  private func writeHead(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
    self.status = status
    var head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    head.headers.add(name: "date", value: HTTPDateCache.now())
    if !keepsAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
    if keepsAlive, request?.version.minor == 0 { head.headers.replaceOrAdd(name: "connection", value: "keep-alive") }
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
  }
}
