/// Where a bucket is, in S3's words. Knows nothing of what is stored there.
public struct R2Configuration: Sendable, Hashable {
  /// Data of a jurisdiction stays there; each has endpoints of its own
  /// (developers.cloudflare.com/r2/reference/data-location).
  public enum Jurisdiction: String, Sendable, CaseIterable {
    case `default`
    case eu
    case fedramp
  }

  /// How an entity tag is written in `If-Match` of a write.
  ///
  /// RFC 9110 and R2 want the quotes. Ceph's radosgw compares the header of a PUT with the bare tag, so there a quoted one
  /// never matches.
  public enum ETagQuoting: String, Sendable, CaseIterable {
    case quoted
    case unquoted
  }

  /// Base URL of the S3 API, without a slash at the end.
  public var endpoint: String
  /// `auto` for R2.
  public var region: String
  /// Name of the bucket.
  public var bucket: String
  /// `quoted` for R2 and all that follow RFC 9110; `unquoted` for radosgw. `nil` when it is not known: ``R2Client/use(_:)``
  /// tells the client what was found out, and until then it is `quoted`.
  public var writeETags: ETagQuoting?

  /// Another S3 service, in path style.
  public init(endpoint: String, region: String, bucket: String, writeETags: ETagQuoting? = nil) {
    self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    self.region = region
    self.bucket = bucket
    self.writeETags = writeETags
  }

  /// A bucket of a Cloudflare account (developers.cloudflare.com/r2/api/s3/api).
  ///
  /// - Parameter accountID: 32 hexadecimal digits; nil is returned for anything else, because it becomes a host name.
  public init?(accountID: String, jurisdiction: Jurisdiction = .default, bucket: String) {
    guard accountID.utf8.count == 32, accountID.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
    let prefix = jurisdiction == .default ? accountID : "\(accountID).\(jurisdiction.rawValue)"
    self.init(endpoint: "https://\(prefix)\(Self.domain)", region: "auto", bucket: bucket)
  }

  private static let domain = ".r2.cloudflarestorage.com"

  /// Whether the endpoint is Cloudflare's own, so that R2's limits hold: one write a second to a key, for one.
  public var isR2: Bool { endpoint.hasSuffix(Self.domain) }
}
