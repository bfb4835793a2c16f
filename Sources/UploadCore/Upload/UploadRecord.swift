/// What is kept about a finished upload. None of it changes later.
public struct UploadRecord: Hashable, Sendable {
  /// The name of the upload, which carries its expiry.
  public var id: UploadID
  /// The name of the file, when one was given.
  public var name: FileName?
  /// The media type (RFC 9110 section 8.3.1) to send it with.
  public var contentType: String
  /// Bytes.
  public var size: Int64
  /// SHA-256 of the bytes: 32 bytes.
  public var sha256: [UInt8]
  /// When the upload was admitted.
  public var createdAt: Timestamp
  /// The downloads that are allowed; `nil` when they are not counted.
  public var maxDownloads: DownloadLimit?
  /// Hash of the token that deletes the upload; the token itself is not kept.
  public var deleteTokenHash: [UInt8]

  /// A record of these values.
  public init(
    id: UploadID,
    name: FileName?,
    contentType: String,
    size: Int64,
    sha256: [UInt8],
    createdAt: Timestamp,
    maxDownloads: DownloadLimit?,
    deleteTokenHash: [UInt8]
  ) {
    self.id = id
    self.name = name
    self.contentType = contentType
    self.size = size
    self.sha256 = sha256
    self.createdAt = createdAt
    self.maxDownloads = maxDownloads
    self.deleteTokenHash = deleteTokenHash
  }

  /// When the upload is over.
  public var expiresAt: Timestamp { id.expiresAt }

  /// Whether exactly one download is allowed.
  public var isOneTime: Bool { maxDownloads == .one }

  /// Whether downloads are counted at all.
  public var isCounted: Bool { maxDownloads != nil }
}
