/// Why an operation has failed: what the store answered, or what came instead of an answer. Holds no secrets, but for
/// ``key``, which descriptions leave out.
public struct S3Error: Error, Sendable, Hashable {
  /// What went wrong, for programs.
  public var code: Code
  /// What went wrong, for people: the store's words, or the client's.
  public var message: String
  /// What was asked.
  public var operation: S3Operation
  /// Which object was meant.
  public var key: String?
  /// HTTP status; nil when no answer came.
  public var status: Int?
  /// The store's name for the request, for its support.
  public var requestID: String?
  /// Whether a write may have happened all the same: it was sent, and then the connection broke, or the answer was 429 or
  /// 5xx, in this attempt or in one before it. Read back before deciding anything. False is a promise: nothing has changed.
  public var outcomeUnknown: Bool
  /// How often it was tried.
  public var attempts: Int
  /// How long the store asks to be left alone.
  public var retryAfter: Duration?
  /// By how much the store's clock is ahead of ours, when its answer told; negative when behind.
  public var clockAhead: Duration?

  init(_ code: Code, _ message: String, operation: S3Operation, key: String? = nil) {
    self.code = code
    self.message = message
    self.operation = operation
    self.key = key
    outcomeUnknown = false
    attempts = 1
  }
}

extension S3Error {
  /// There is no such object (or, for operations on a multipart upload, no such upload).
  public var isNotFound: Bool {
    code == .noSuchKey || code == .noSuchUpload || (status == 404 && code != .noSuchBucket)
  }

  /// The condition of a conditional request does not hold. When ``outcomeUnknown`` is set too, that may be because an
  /// earlier attempt of the same call has succeeded.
  public var isPreconditionFailed: Bool { status == 412 || code == .preconditionFailed }

  /// The store is busy or the key is hot: later it may work.
  public var isThrottled: Bool { status == 429 || code == .slowDown || code == .tooManyRequests }
}

extension S3Error: CustomStringConvertible {
  /// One line with everything that helps to find the cause. Without the key, also where the store repeats it: a key may be
  /// all that somebody needs to fetch the object, and descriptions end up in logs.
  public var description: String {
    var text = "\(operation.rawValue): \(code.rawValue)"
    if !message.isEmpty { text += ": \(key.map { message.replacing($0, with: "<key>") } ?? message)" }
    var facts: [String] = []
    if let status { facts.append("status \(status)") }
    if let requestID { facts.append("request \(requestID)") }
    if attempts > 1 { facts.append("\(attempts) attempts") }
    if outcomeUnknown { facts.append("outcome unknown") }
    return facts.isEmpty ? text : "\(text) (\(facts.joined(separator: ", ")))"
  }
}
