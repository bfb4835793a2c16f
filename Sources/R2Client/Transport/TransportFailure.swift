import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a request without an answer has failed of, in our words.
enum TransportFailure {
  /// An ``S3Error``, or the error itself when it is not of the network: a cancelled task, an error of the caller's body.
  static func error(from error: any Error, _ request: S3Request) -> any Error {
    switch error {
    case is S3Error, is CancellationError: return error
    case let error as StallHandler.Stall: return stalled(error, request)
    case let error as HTTPClientError: return failed(error, request)
    case let error as NIOConnectionError: return notConnected(error, request)
    case let error as IOError: return failed(error, request)
    case let error as ChannelError:
      if case .connectTimeout = error { return request.failure(.connectTimeout, "no connection in time") }
      return lost(request, "the connection was closed")
    case is HTTPParserError: return lost(request, "the connection ended within the answer")
    case NIOSSLError.uncleanShutdown: return lost(request, "the connection ended without notice")
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      return request.failure(.tlsFailed, "its certificate is for another name")
    case is BoringSSLError, is NIOSSLError, is NIOSSLExtraError: return request.failure(.tlsFailed, reason("\(error)"))
    default: return error
    }
  }

  /// `CERTIFICATE_VERIFY_FAILED` out of a text that also names lines of source code.
  private static func reason(_ text: String) -> String {
    guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return text }
    return text[mark.upperBound...].prefix { $0.isUppercase || $0.isNumber || $0 == "_" }
      .replacing("_", with: " ").lowercased()
  }

  private static func stalled(_ stall: StallHandler.Stall, _ request: S3Request) -> S3Error {
    var error =
      switch stall {
      case .sending: request.failure(.idleTimeout, "the store takes no more bytes")
      case .firstByte: request.failure(.firstByteTimeout, "no answer in time")
      case .receiving: request.failure(.idleTimeout, "the store sends no more bytes")
      }
    error.outcomeUnknown = request.operation.isWrite
    return error
  }

  private static func failed(_ error: HTTPClientError, _ request: S3Request) -> S3Error {
    switch error {
    case .connectTimeout: request.failure(.connectTimeout, "no connection in time")
    case .getConnectionFromPoolTimeout: request.failure(.connectTimeout, "no free connection in time")
    case .tlsHandshakeTimeout: request.failure(.tlsFailed, "no TLS handshake in time")
    case .bodyLengthMismatch: request.failure(.incompleteBody, "the body is not as long as was announced")
    case .invalidURL, .emptyHost, .emptyScheme: request.failure(.invalidArgument, "the endpoint is no URL")
    default: lost(request, error.shortDescription)
    }
  }

  private static func failed(_ error: IOError, _ request: S3Request) -> S3Error {
    switch error.errnoCode {
    case ECONNREFUSED: request.failure(.connectionFailed, "connection refused")
    case EHOSTUNREACH, ENETUNREACH: request.failure(.connectionFailed, "no route to the store")
    case ETIMEDOUT: request.failure(.connectTimeout, "no connection in time")
    default: lost(request, "the connection broke: \(error)")
    }
  }

  private static func notConnected(_ error: NIOConnectionError, _ request: S3Request) -> S3Error {
    if let first = error.connectionErrors.first {
      if let cause = first.error as? IOError { return failed(cause, request) }
      if let cause = first.error as? ChannelError, case .connectTimeout = cause {
        return request.failure(.connectTimeout, "no connection in time")
      }
      return request.failure(.connectionFailed, "\(first.error)")
    }
    return request.failure(.nameNotFound, "the name \(error.host) is not known")
  }

  private static func lost(_ request: S3Request, _ how: String) -> S3Error {
    var error = request.failure(.connectionLost, how)
    error.outcomeUnknown = request.operation.isWrite
    return error
  }
}
