/// An upload that may begin: its name and its limits are fixed, its bytes are still to come.
public struct Admission: Hashable, Sendable {
  /// The name of the upload.
  public let id: UploadID
  /// When it was admitted.
  public let createdAt: Timestamp
  /// When it is over, finished or not; the same as `id.expiresAt`.
  public let expiresAt: Timestamp
  /// The downloads that are allowed; `nil` when they are not counted.
  public let maxDownloads: DownloadLimit?
  /// The most bytes that may arrive: the declared size, else the largest that the policy takes.
  public let sizeLimit: Int64

  /// An admission; `UploadPolicy.admit` makes consistent ones.
  public init(
    id: UploadID,
    createdAt: Timestamp,
    expiresAt: Timestamp,
    maxDownloads: DownloadLimit?,
    sizeLimit: Int64
  ) {
    self.id = id
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.maxDownloads = maxDownloads
    self.sizeLimit = sizeLimit
  }
}
