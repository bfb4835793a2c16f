/// R2's rules for the parts of a multipart upload (developers.cloudflare.com/r2/objects/multipart-objects). S3 and radosgw accept
/// unequal parts; R2 refuses them only at the end, so the client asserts the rule before anything is sent.
public struct S3PartLimits: Sendable, Hashable {
  /// Of every part but the last, in bytes: 5 MiB.
  public var minimumSize: Int64 = 5 << 20
  /// Of every part, in bytes: 5 GiB.
  public var maximumSize: Int64 = 5 << 30
  /// Parts are numbered from 1 to this.
  public var maximumCount = 10_000

  /// R2's own numbers. (Tests against a store with smaller ones change them.)
  public init() {}
}
