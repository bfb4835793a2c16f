import NIOHTTP1

/// An answer that refuses: a status, a stable machine code and one line for the person at the other end.
package struct Failure: Error, Hashable {
  package var status: HTTPResponseStatus
  /// Stable name of the problem, in kebab case; the last part of the problem type in JSON (RFC 9457).
  package var code: String
  /// One line: what is wrong, the limit in numbers, what to do.
  package var message: String
  /// Sent as Retry-After, in seconds.
  package var retryAfter: Int?
  /// Further response fields such as WWW-Authenticate or Allow.
  package var fields: [Field] = []
  /// What the store or the index said, for the log only.
  package var cause: String?
  /// The connection cannot carry another request.
  package var closes = false

  /// A response field.
  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: String
  }

  package init(_ status: HTTPResponseStatus, code: String, _ message: String, retryAfter: Int? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }

  package static func badRequest(_ code: String, _ message: String) -> Failure {
    var failure = Failure(.badRequest, code: code, message)
    failure.closes = true
    return failure
  }

  package static func headerTooLarge(_ limits: ConnectionLimits) -> Failure {
    var failure = Failure(
      .requestHeaderFieldsTooLarge, code: "header-too-large",
      "the request header is too large; the limits are \(limits.maximumHeaderCount) fields and \(limits.maximumHeaderSize) bytes in all: send fewer or shorter fields"
    )
    failure.closes = true
    return failure
  }
}
