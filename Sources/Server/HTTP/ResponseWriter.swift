import NIOCore
import NIOHTTP1

/// Writes one response. Every write waits until the socket has taken the bytes: that is the back-pressure.
///
/// Not Sendable: belongs to the task of its connection.
package final class ResponseWriter {
  private let channel: any Channel
  private let watch: NIOLoopBound<ConnectionWatch>
  private let request: HTTPRequest?
  private let isHead: Bool
  /// What has been sent, for the log.
  package private(set) var status: HTTPResponseStatus?
  package private(set) var bytesSent: Int64 = 0
  package private(set) var isFinished = false
  /// The connection can serve another request after this one.
  package var keepsAlive: Bool
  /// The head, until the first bytes of the body go with it.
  private var head: ByteBuffer?
  /// A body up to this size is copied behind its head, so that both are one write.
  private static let smallBody = 16 * 1024

  /// - Parameters:
  ///   - request: nil: it could not be understood.
  ///   - isHead: its method is HEAD, for one that could not be understood as a whole.
  init(
    channel: any Channel, watch: NIOLoopBound<ConnectionWatch>, request: HTTPRequest?, isHead: Bool = false,
    keepsAlive: Bool
  ) {
    self.channel = channel
    self.watch = watch
    self.request = request
    self.isHead = isHead || request?.method == .HEAD
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
    // The buffers may be full of answers that the client does not read.
    watch.value.enter(.response)
    defer { watch.value.enter(.working) }
    try await channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")).get()
  }

  /// A whole response. The body is left out (its length is not) when the request was a HEAD.
  package func send(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, body: ByteBuffer? = nil) async throws {
    var headers = headers
    if status != .noContent, status != .notModified {
      headers.add(name: "content-length", value: String(body?.readableBytes ?? 0))
    }
    let count = isHead ? 0 : body?.readableBytes ?? 0
    try begin(status, headers, room: min(count, Self.smallBody))
    if let body, count > 0 { try await write(body) }
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
  package func start(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, length: Int64) throws {
    var headers = headers
    headers.add(name: "content-length", value: String(length))
    try begin(status, headers, room: 0)
  }

  package func write(_ body: ByteBuffer) async throws {
    guard var bytes = takeHead() else { return try await flush(body, count: body.readableBytes) }
    if body.readableBytes <= Self.smallBody {
      bytes.writeImmutableBuffer(body)
    } else {
      channel.write(bytes, promise: nil)
      bytes = body
    }
    try await flush(bytes, count: body.readableBytes)
  }

  /// sendfile(2): the bytes never enter this process.
  package func sendFile(_ file: OpenFile, range: Range<Int64>) async throws {
    let region = FileRegion(
      fileHandle: file.handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
    if let head = takeHead() { channel.write(head, promise: nil) }
    try await flush(region, count: range.count)
  }

  package func finish() async throws {
    if let head = takeHead() { try await flush(head, count: 0) }
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

  /// Writes bytes of which `count` are of the body, and waits until the socket has taken them, if it has not at once.
  private func flush(_ bytes: some Sendable, count: Int) async throws {
    watch.value.enter(.response)
    let written = channel.eventLoop.makePromise(of: Void.self)
    channel.writeAndFlush(bytes, promise: written)
    if let outcome = Self.outcome(written.futureResult) {
      try outcome.get()
    } else {
      try await written.futureResult.get()
    }
    watch.value.enter(.working)
    bytesSent += Int64(count)
  }

  /// nil when it is not known yet. (Asking a future that is fulfilled through `get` would cost a turn of the loop.)
  private static func outcome(_ future: EventLoopFuture<Void>) -> Result<Void, any Error>? {
    guard future.eventLoop.inEventLoop else { return nil }
    var outcome: Result<Void, any Error>?
    future.assumeIsolated().whenComplete { outcome = $0 }
    return outcome
  }

  private func begin(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, room: Int) throws {
    var headers = headers
    headers.add(name: "date", value: HTTPDateCache.now())
    if !keepsAlive { headers.replaceOrAdd(name: "connection", value: "close") }
    if keepsAlive, request?.version.minor == 0 { headers.replaceOrAdd(name: "connection", value: "keep-alive") }
    head = try ResponseHead.bytes(status, headers, room: room, channel.allocator)
    self.status = status
  }

  private func takeHead() -> ByteBuffer? {
    defer { head = nil }
    return head
  }
}
