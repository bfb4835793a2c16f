/// One page of the parts of an open multipart upload.
public struct S3PartListing: Sendable, Hashable {
  /// The parts of this page, by number.
  public var parts: [S3CompletedPart]
  /// The number to continue after; nil on the last page.
  public var nextPartNumberMarker: Int?
}
