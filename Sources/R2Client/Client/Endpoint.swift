import FoundationEssentials

/// The endpoint, taken apart once.
struct Endpoint: Sendable {
  /// `https://host:port`
  let origin: String
  /// As the `Host` header says it: without the port that the scheme implies.
  let host: String
  let isEncrypted: Bool
  /// Path of the bucket, encoded: `/bucket`.
  let bucketPath: String

  init(_ configuration: R2Configuration) throws {
    guard let url = URL(string: configuration.endpoint), let scheme = url.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let name = url.host, !name.isEmpty, url.query == nil, url.fragment == nil,
      url.user == nil, !configuration.bucket.isEmpty, !configuration.bucket.contains("/")
    else {
      throw S3Error(
        .invalidArgument, "the endpoint must be an http or https URL, and the bucket a name", operation: .headBucket)
    }
    let literal = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
    let isEncrypted = scheme == "https"
    self.isEncrypted = isEncrypted
    if let port = url.port, port != (isEncrypted ? 443 : 80) {
      host = "\(literal):\(port)"
    } else {
      host = literal
    }
    origin = "\(scheme)://\(host)"
    let path = url.path == "/" ? "" : PercentEncoding.path(url.path)
    bucketPath = "\(path)/\(PercentEncoding.path(configuration.bucket))"
  }

  func path(_ key: String?) -> String {
    key.map { "\(bucketPath)/\(PercentEncoding.path($0))" } ?? bucketPath
  }
}

extension Endpoint {
  /// An object of the same bucket as the source of a copy.
  func copySource(_ key: String) -> String {
    path(key)
  }
}
