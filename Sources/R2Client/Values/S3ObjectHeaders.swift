/// What is stored beside the bytes of an object.
public struct S3ObjectHeaders: Sendable, Hashable {
  /// At most so many bytes of user metadata: names without their prefix and values, as they travel. R2 counts the decoded
  /// values, others what they get; so this is safe everywhere. (S3 itself allows 2,048.)
  public static let userMetadataLimit = 8192

  /// `Content-Type`; the store has a default.
  public var contentType: String?
  /// `Content-Disposition`, in ASCII: other names in the form of RFC 8187 (`filename*=`).
  public var contentDisposition: String?
  /// `Cache-Control`.
  public var cacheControl: String?
  /// `x-amz-meta-*`, names in lower case and without that prefix. Values may hold any Unicode text: what is not printable ASCII
  /// travels as RFC 2047 encoded words in UTF-8, which R2 decodes and encodes itself and others keep as they are.
  public var userMetadata: [String: String]

  /// Everything is optional.
  public init(
    contentType: String? = nil, contentDisposition: String? = nil, cacheControl: String? = nil,
    userMetadata: [String: String] = [:]
  ) {
    self.contentType = contentType
    self.contentDisposition = contentDisposition
    self.cacheControl = cacheControl
    self.userMetadata = userMetadata
  }
}
