extension S3Error {
  /// A code of the store, or one of the client's for what stores cannot say. An open set: compare, do not switch.
  public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// As S3 writes it.
    public let rawValue: String

    /// Any code.
    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// As S3 writes it.
    public var description: String { rawValue }
  }
}

// What stores answer (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, developers.cloudflare.com/r2/api/error-codes).
extension S3Error.Code {
  /// The key may not do this.
  public static let accessDenied = Self(rawValue: "AccessDenied")
  /// The store does not accept the access key (R2's word for it).
  public static let unauthorized = Self(rawValue: "Unauthorized")
  /// The time of a presigned URL, or of a request by our clock, is over.
  public static let expiredRequest = Self(rawValue: "ExpiredRequest")
  /// The store does not know the access key.
  public static let invalidAccessKeyID = Self(rawValue: "InvalidAccessKeyId")
  /// The secret does not belong to the access key, or something on the way changes requests.
  public static let signatureDoesNotMatch = Self(rawValue: "SignatureDoesNotMatch")
  /// Our clock and the store's are too far apart.
  public static let requestTimeTooSkewed = Self(rawValue: "RequestTimeTooSkewed")
  /// The bytes received are not those that were signed.
  public static let contentSHA256Mismatch = Self(rawValue: "XAmzContentSHA256Mismatch")
  /// There is no such bucket.
  public static let noSuchBucket = Self(rawValue: "NoSuchBucket")
  /// There is no such object.
  public static let noSuchKey = Self(rawValue: "NoSuchKey")
  /// There is no such multipart upload (any more).
  public static let noSuchUpload = Self(rawValue: "NoSuchUpload")
  /// A part is missing, or the parts are not equal.
  public static let invalidPart = Self(rawValue: "InvalidPart")
  /// A part but the last is below the minimum.
  public static let entityTooSmall = Self(rawValue: "EntityTooSmall")
  /// Larger than the store takes.
  public static let entityTooLarge = Self(rawValue: "EntityTooLarge")
  /// The condition of a conditional request does not hold.
  public static let preconditionFailed = Self(rawValue: "PreconditionFailed")
  /// The range lies outside the object.
  public static let invalidRange = Self(rawValue: "InvalidRange")
  /// The store asks for fewer requests.
  public static let slowDown = Self(rawValue: "SlowDown")
  /// More than one write a second to the same key (R2).
  public static let tooManyRequests = Self(rawValue: "TooManyRequests")
  /// The store has failed.
  public static let internalError = Self(rawValue: "InternalError")
  /// The store is away.
  public static let serviceUnavailable = Self(rawValue: "ServiceUnavailable")
  /// The store got no bytes for too long.
  public static let requestTimeout = Self(rawValue: "RequestTimeout")
  /// A length is needed.
  public static let missingContentLength = Self(rawValue: "MissingContentLength")
  /// More user metadata than the store takes.
  public static let metadataTooLarge = Self(rawValue: "MetadataTooLarge")
}

// What the client says itself.
extension S3Error.Code {
  /// Nobody listens at the endpoint, or the way there is blocked. Nothing was sent.
  public static let connectionFailed = Self(rawValue: "ConnectionFailed")
  /// The name of the endpoint is not known. Nothing was sent.
  public static let nameNotFound = Self(rawValue: "NameNotFound")
  /// The endpoint is not trusted, or speaks no TLS. Nothing was sent.
  public static let tlsFailed = Self(rawValue: "TLSFailed")
  /// The file of trusted certificates cannot be read, or holds none. The message is its path.
  public static let trustRootsUnreadable = Self(rawValue: "TrustRootsUnreadable")
  /// No connection in time, or no free one. Nothing was sent.
  public static let connectTimeout = Self(rawValue: "ConnectTimeout")
  /// The connection ended before the answer did.
  public static let connectionLost = Self(rawValue: "ConnectionLost")
  /// The request was sent and no answer came in time.
  public static let firstByteTimeout = Self(rawValue: "FirstByteTimeout")
  /// Nothing has moved for too long.
  public static let idleTimeout = Self(rawValue: "IdleTimeout")
  /// The store has answered what S3 would not.
  public static let malformedAnswer = Self(rawValue: "MalformedAnswer")
  /// The body given was longer or shorter than was said.
  public static let incompleteBody = Self(rawValue: "IncompleteBody")
  /// Refused by the client: S3 would not take it.
  public static let invalidArgument = Self(rawValue: "InvalidArgument")
}
