/// One page of the open multipart uploads of a bucket.
public struct S3MultipartListing: Sendable, Hashable {
  /// The uploads of this page, by key.
  public var uploads: [S3MultipartUpload]
  /// Where the next page begins; nil on the last.
  public var next: Marker?

  /// Where a page begins: after this upload.
  public struct Marker: Sendable, Hashable {
    /// `key-marker`.
    public var key: String
    /// `upload-id-marker`.
    public var uploadID: String

    /// Both together name the last upload of a page.
    public init(key: String, uploadID: String) {
      self.key = key
      self.uploadID = uploadID
    }
  }
}
