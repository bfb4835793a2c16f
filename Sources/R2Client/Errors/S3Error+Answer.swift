import NIOCore
import NIOHTTP1

extension S3Error {
  /// What an answer that is no success says: by its XML where there is one, else by its status (HEAD, radosgw, proxies).
  init(_ request: S3Request, status: Int, headers: HTTPHeaders, body: ByteBuffer, now: S3Timestamp) {
    let xml = (try? XMLReader.read(body.readableBytesView)).flatMap { $0.name == "Error" ? $0 : nil }
    let code = xml?["Code"]?.text ?? ""
    self.init(
      code.isEmpty ? Code(status: status, request) : Code(rawValue: code), xml?["Message"]?.text ?? "",
      operation: request.operation, key: request.key)
    self.status = status
    let inBody = xml?["RequestId"]?.text ?? ""
    requestID =
      headers.first(name: "x-amz-request-id") ?? headers.first(name: "cf-ray") ?? (inBody.isEmpty ? nil : inBody)
    outcomeUnknown = request.operation.isWrite && (status >= 500 || status == 429 || status == 408) && status != 501
    if let seconds = headers.first(name: "retry-after").flatMap({ Int64($0) }), seconds >= 0 {
      retryAfter = .seconds(seconds)
    }
    if let theirs = headers.first(name: "date").flatMap({ S3Timestamp(httpDate: $0) }) {
      clockAhead = .seconds(theirs.secondsSince1970 - now.secondsSince1970)
    }
  }

  /// Whether another attempt may go better.
  var isTransient: Bool {
    switch code {
    case .connectionFailed, .connectTimeout, .connectionLost, .firstByteTimeout, .idleTimeout, .nameNotFound,
      .requestTimeout, .slowDown, .tooManyRequests:
      return true
    default: return [408, 429, 500, 502, 503, 504].contains(status)
    }
  }
}

extension S3Error.Code {
  /// What a status alone tells.
  init(status: Int, _ request: S3Request) {
    self =
      switch status {
      case 304: Self(rawValue: "NotModified")
      case 401: .unauthorized
      case 403: .accessDenied
      case 404: request.key == nil ? .noSuchBucket : .noSuchKey
      case 411: .missingContentLength
      case 412: .preconditionFailed
      case 413: .entityTooLarge
      case 416: .invalidRange
      case 429: .tooManyRequests
      case 500: .internalError
      case 503: .serviceUnavailable
      default: Self(rawValue: "HTTP\(status)")
      }
  }
}
