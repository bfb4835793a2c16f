/// What an uploader asks for, before the first byte of the body. The headers are raw texts; `nil` when absent.
public struct UploadRequest: Hashable, Sendable {
  /// The name of the file, when one was given.
  public var name: FileName?
  /// The value of `Content-Type`.
  public var contentType: String?
  /// Bytes of the body when they are known beforehand (`Content-Length`).
  public var declaredSize: Int64?
  /// The value of `X-Expiration-Seconds`.
  public var expirationSeconds: String?
  /// The value of `Max-Days`.
  public var maxDaysHeader: String?
  /// The value of `X-Max-Downloads` or `Max-Downloads`.
  public var maxDownloadsHeader: String?

  /// A request; what is left out was not sent.
  public init(
    name: FileName? = nil,
    contentType: String? = nil,
    declaredSize: Int64? = nil,
    expirationSeconds: String? = nil,
    maxDaysHeader: String? = nil,
    maxDownloadsHeader: String? = nil
  ) {
    self.name = name
    self.contentType = contentType
    self.declaredSize = declaredSize
    self.expirationSeconds = expirationSeconds
    self.maxDaysHeader = maxDaysHeader
    self.maxDownloadsHeader = maxDownloadsHeader
  }
}
