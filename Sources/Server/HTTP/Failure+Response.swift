import NIOCore
import NIOHTTP1

extension Failure {
  /// A request that the parser could not read. Its reasons are for machines; ours are for people.
  init(_ error: HTTPParserError, _ limits: ConnectionLimits) {
    if error == .headerOverflow {
      self = .headerTooLarge(limits)
      return
    }
    let reason =
      switch error {
      case .invalidVersion: "the HTTP version is not supported: use HTTP/1.1"
      case .invalidMethod: "the request method is not one that HTTP knows"
      case .invalidURL, .invalidHost, .invalidPort, .invalidPath, .invalidQueryString, .invalidFragment:
        "the request target is not valid: percent-encode spaces and special characters"
      case .invalidContentLength, .unexpectedContentLength:
        "Content-Length must be one whole number of bytes, and not together with Transfer-Encoding"
      case .invalidChunkSize: "a chunk of the body has no valid size"
      case .closedConnection: "something follows a request that asked to close the connection"
      default: "the request is not valid HTTP/1.1"
      }
    self = .badRequest("bad-request", reason)
  }

  init(_ timeout: PeerTimeout) {
    switch timeout {
    case .idle:
      self.init(.requestTimeout, code: "timeout", "the connection was idle for too long")
    case .headerTimeout(let seconds):
      self.init(
        .requestTimeout, code: "timeout", "the request head was not complete within \(seconds) s: send it faster")
    case .bodyStalled(let seconds):
      self.init(
        .requestTimeout, code: "timeout", "no byte of the body came for \(seconds) s: the upload was dropped, try again"
      )
    case .framingTooLong(let limit):
      self = .badRequest(
        "bad-request", "the body has more than \(limit) bytes of chunk extensions or trailers: send it without them")
    case .tooSlow(let rate):
      self.init(
        .requestTimeout, code: "too-slow",
        "the body came slower than \(rate) bytes/s: the upload was dropped, try again")
    }
    closes = true
  }
}

extension ResponseWriter {
  /// Sends a refusal in the form that the client asked for.
  func send(_ failure: Failure, as format: AnswerFormat) async throws {
    if failure.closes { keepsAlive = false }
    var headers = HTTPHeaders()
    for field in failure.fields { headers.add(name: field.name, value: field.value) }
    if let seconds = failure.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
    headers.add(name: "cache-control", value: "no-store")
    headers.add(name: "x-content-type-options", value: "nosniff")
    switch format {
    case .json:
      headers.add(name: "content-type", value: "application/problem+json")
      let problem = Problem(
        type: "https://bashupload.app/problems/\(failure.code)", title: failure.status.reasonPhrase,
        status: Int(failure.status.code), detail: failure.message, code: failure.code)
      try await send(failure.status, headers, body: try problem.json(allocator))
    case .html:
      headers.add(name: "content-type", value: "text/html; charset=utf-8")
      headers.add(name: "content-security-policy", value: Page.contentSecurityPolicy)
      try await send(failure.status, headers, body: allocator.buffer(string: Page.failure(failure)))
    case .text, .uriList:
      headers.add(name: "content-type", value: "text/plain; charset=utf-8")
      try await send(failure.status, headers, body: allocator.buffer(string: failure.message + "\n"))
    }
  }
}

/// RFC 9457.
private struct Problem: Encodable {
  var type: String
  var title: String
  var status: Int
  var detail: String
  var code: String
}
