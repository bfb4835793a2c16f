/// Where a bucket is, in S3's words. Knows nothing of what is stored there.
public struct R2Configuration: Sendable, Hashable {
  /// Data of a jurisdiction stays there; each has endpoints of its own
  /// (developers.cloudflare.com/r2/reference/data-location).
  public enum Jurisdiction: String, Sendable, CaseIterable {
    case `default`
    case eu
    case fedramp
  }

  /// Base URL of the S3 API, without a slash at the end.
  public var endpoint: String
  /// `auto` for R2.
  public var region: String
  /// Name of the bucket.
  public var bucket: String

  /// Another S3 service, in path style.
  public init(endpoint: String, region: String, bucket: String) {
    self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    self.region = region
    self.bucket = bucket
  }

  /// A bucket of a Cloudflare account (developers.cloudflare.com/r2/api/s3/api).
  ///
  /// - Parameter accountID: 32 hexadecimal digits; nil is returned for anything else, because it becomes a host name.
  public init?(accountID: String, jurisdiction: Jurisdiction = .default, bucket: String) {
    guard accountID.utf8.count == 32, accountID.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
    let prefix = jurisdiction == .default ? accountID : "\(accountID).\(jurisdiction.rawValue)"
    self.init(endpoint: "https://\(prefix).r2.cloudflarestorage.com", region: "auto", bucket: bucket)
  }
}
