import NIOCore
import NIOHTTP1

/// What an operation asks, before it is signed.
struct S3Request: Sendable {
  var operation: S3Operation
  var method: HTTPMethod
  /// Nil for operations on the bucket.
  var key: String?
  var query: [(name: String, value: String)] = []
  var headers = HTTPHeaders()
  var body: ByteBuffer?
  /// Whether an attempt of unknown outcome may be followed by another.
  var repeats = true
  /// Whether even what was not sent is left alone.
  var repeatsNothing = false

  init(
    _ operation: S3Operation, _ method: HTTPMethod, key: String? = nil, query: [(name: String, value: String)] = [],
    body: ByteBuffer? = nil
  ) {
    self.operation = operation
    self.method = method
    self.key = key
    self.query = query
    self.body = body
  }

  /// Adds a condition, and what it means for repeating.
  mutating func set(_ condition: S3WriteCondition?, _ repeats: S3Repeats, _ quoting: R2Configuration.ETagQuoting) {
    switch condition {
    case .ifAbsent: headers.add(name: "if-none-match", value: "*")
    case .ifMatch(let tag): headers.add(name: "if-match", value: quoting == .quoted ? tag.quoted : tag.value)
    case nil: break
    }
    set(repeats, isConditional: condition != nil)
  }

  mutating func set(_ repeats: S3Repeats, isConditional: Bool) {
    self.repeats = repeats == .always || (repeats == .whenSafe && !isConditional)
    repeatsNothing = repeats == .never
  }

  func failure(_ code: S3Error.Code, _ message: String) -> S3Error {
    S3Error(code, message, operation: operation, key: key)
  }
}
