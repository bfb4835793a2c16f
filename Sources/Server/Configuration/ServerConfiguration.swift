import NIOCore
import UploadCore

/// Everything that `serve` and `cleanup` can be told, read once at start and valid from then on.
package struct ServerConfiguration: Sendable {
  package var host = "0.0.0.0"
  package var port = 3000
  package var dataDirectory = "data"
  package var publicURL: PublicURL?
  package var trustedProxies = TrustedProxies.unset
  package var metricsHost = "127.0.0.1"
  package var metricsPort = 9090
  package var password: Password?
  package var policy = UploadPolicy()
  package var shortURLService: String?
  package var cleansUp = true
  /// Seconds.
  package var cleanupInterval: Int64 = 300
  package var leaseSeconds: Int64 = 60
  package var resumeSeconds: Int64 = 60
  package var minimumFreeSpace = ByteCount(256 * 1024 * 1024)
  package var storageQuota: ByteCount?
  package var shutdownGrace: Int64 = 30
  package var connection = ConnectionLimits()
  package var maximumConnections = 1000
  package var maximumRequestsPerClient: Int?
  package var uploadsPerMinute: Int?
  package var tlsFiles: (certificate: String, key: String)?
  /// nil: the files are on the local disk.
  package var bucket: BucketConfiguration?
  package var log = LogConfiguration()

  package init() {}
}

/// Scheme and authority of the URLs that we answer.
package struct PublicURL: Sendable, Hashable, CustomStringConvertible {
  package var scheme: String
  package var authority: String

  package init(scheme: String, authority: String) {
    self.scheme = scheme
    self.authority = authority
  }

  /// `https://host[:port]`, with or without a slash at the end.
  package init?(parsing text: String) {
    let parts = text.split(separator: "://", maxSplits: 1)
    guard parts.count == 2, parts[0] == "https" || parts[0] == "http" else { return nil }
    let rest = parts[1].hasSuffix("/") ? parts[1].dropLast() : parts[1]
    guard !rest.isEmpty, Authority.isValid(rest) else { return nil }
    self.init(scheme: String(parts[0]), authority: String(rest))
  }

  package var description: String { "\(scheme)://\(authority)" }
}
