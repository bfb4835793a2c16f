import Glibc
import GRDB
import NIOCore
import NIOHTTP1
import NIOSSL
import UploadCore

// The one place where errors become statuses. A new case of an error of ours does not compile until it is here.

extension Failure {
  static let expired = Failure(.gone, code: "expired", "this upload has expired and its file is gone")
  static let deleted = Failure(.gone, code: "deleted", "this upload was deleted by its owner")
  static let blocked = Failure(
    .unavailableForLegalReasons, code: "blocked", "this upload was blocked and cannot be downloaded")
  static let unknownUpload = Failure(.notFound, code: "not-found", "there is no upload with this id: check the URL")
  static let notRemoved = Failure(
    .serviceUnavailable, code: "not-removed",
    "the storage has not removed the file yet, and it may still be downloaded: send the request again", retryAfter: 5)
  static let vanished = Failure(.gone, code: "gone", "this upload has just been downloaded or deleted")
  static let prefetch = Failure(
    .serviceUnavailable, code: "prefetch",
    "this file is not sent ahead of time, because that would spend a download: open the link")
  static let notFound = Failure(
    .notFound, code: "not-found", "there is nothing here: upload with curl -T file, or see / for help")
  static let tooManyRequests = Failure(
    .badRequest, code: "too-many-requests",
    "more than \(RequestPartBatcher.maximumRequests) requests came at once: wait for answers before you send more")
  static let internalError = Failure(
    .internalServerError, code: "internal",
    "something went wrong on our side: try again, nothing was lost that was acknowledged")
  static let wrongToken = Failure(
    .forbidden, code: "wrong-token",
    "the X-Delete-Token is missing or does not belong to this upload: the answer to the upload carried it")

  static func consumed(_ record: UploadRecord) -> Failure {
    let count = record.maxDownloads?.count ?? 1
    return Failure(
      .gone, code: "consumed",
      count == 1
        ? "this upload could be downloaded once, and was" : "this upload could be downloaded \(count) times, and was")
  }

  static func locked(_ record: UploadRecord, retryAfter: Int) -> Failure {
    Failure(
      .locked, code: "locked",
      record.isOneTime
        ? "somebody is downloading this file, and it can be downloaded only once: try again in \(retryAfter) s"
        : "all remaining downloads of this file are in progress: try again in \(retryAfter) s",
      retryAfter: retryAfter)
  }

  static func methodNotAllowed(_ allowed: String) -> Failure {
    var failure = Failure(
      .methodNotAllowed, code: "method-not-allowed", "this method is not allowed here: use \(allowed)")
    failure.fields = [.init(name: "allow", value: allowed)]
    return failure
  }

  static var passwordNeeded: Failure {
    var failure = Failure(
      .unauthorized, code: "password",
      "this server needs its password: add -H \"Authorization: PASSWORD\" or -u any:PASSWORD")
    failure.fields = [.init(name: "www-authenticate", value: "Basic realm=\"Password Required\"")]
    return failure
  }

  /// Nil: the client has gone, there is nobody to answer.
  init?(answering error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let rejection as UploadRejection: self.init(rejection)
    case let error as StoreError: self.init(error)
    case let error as MultipartParser.ParseError: self.init(error)
    case PeerTimeout.idle, is ConnectionClosed, is CancellationError, is ChannelError, is IOError: return nil
    // A client that vanishes without the end that TLS demands has vanished all the same.
    case is NIOSSLError, is BoringSSLError: return nil
    case let timeout as PeerTimeout: self.init(timeout)
    case HTTPParserError.invalidEOFState: return nil
    case let error as HTTPParserError: self.init(error, ConnectionLimits())
    case is RequestPartBatcher.TooManyRequests: self = .tooManyRequests
    case let error as DatabaseError: self.init(error)
    default: self = .internalError
    }
  }

  /// What an operator has to know of an error, in one line; nil when the answer says it all.
  static func cause(_ error: any Error) -> String? {
    switch error {
    case let failure as Failure: failure.cause
    case let error as StoreError: error.reason
    case let error as DatabaseError: "index: \(error.resultCode): \(error.message ?? "")"
    default: nil
    }
  }

  private init(_ rejection: UploadRejection) {
    let status: HTTPResponseStatus =
      switch rejection {
      case .tooLarge: .payloadTooLarge
      case .badHeader, .lifetimeAboveLimit, .downloadsAboveLimit, .fileName, .lengthMismatch, .digestMismatch:
        .badRequest
      case .noSpace, .quota: .insufficientStorage
      case .unfinishedAtExpiry: .requestTimeout
      case .expiryOutOfRange: .internalServerError
      }
    self.init(status, code: rejection.code, rejection.message)
    if status == .insufficientStorage { retryAfter = 60 }
  }

  private init(_ error: StoreError) {
    switch error {
    case .full:
      self.init(
        .insufficientStorage, code: "no-space", "the disk is full: nothing was stored, try again later", retryAfter: 60)
    case .expired(let id):
      self = Failure(UploadRejection.unfinishedAtExpiry(id.expiresAt))
    case .unavailable(_, let seconds):
      self.init(
        .serviceUnavailable, code: "store", "the storage does not answer at the moment: try again in \(seconds) s",
        retryAfter: seconds)
    case .exists, .system:
      self.init(
        .serviceUnavailable, code: "store",
        "the storage does not work at the moment: nothing was stored, try again later",
        retryAfter: 10)
    }
  }

  private init(_ error: DatabaseError) {
    self =
      error.resultCode == .SQLITE_FULL
      ? Failure(.full)
      : Failure(
        .serviceUnavailable, code: "index", "the index does not work at the moment: try again later", retryAfter: 10)
  }

  private init(_ error: MultipartParser.ParseError) {
    let reason =
      switch error {
      case .noBoundary: "the Content-Type has no valid boundary"
      case .boundaryTooLong: "the boundary is longer than \(MultipartParser.maximumBoundaryLength) characters"
      case .headerTooLong: "a part has a header of more than \(MultipartParser.maximumHeaderLength) bytes"
      case .badPartHeader: "a part has no valid Content-Disposition: form-data header"
      case .notFinished: "the closing boundary is missing: the form was cut off"
      }
    self = .badRequest("bad-multipart", "\(reason): nothing of the unfinished part was stored, use curl -F file=@name")
  }
}
