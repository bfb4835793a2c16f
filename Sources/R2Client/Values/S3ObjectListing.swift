/// One page of a listing, in the order of the UTF-8 bytes of the keys.
public struct S3ObjectListing: Sendable, Hashable {
  /// The objects of this page.
  public var objects: [S3ObjectSummary]
  /// What the delimiter has rolled up, each once.
  public var commonPrefixes: [String]
  /// For the next page; nil on the last.
  public var nextContinuationToken: String?
}
