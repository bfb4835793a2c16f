/// One setting: its environment name, what it means, and what it is without being set. The flags of `serve`, the table
/// in the README and `--print-config` all come from this list.
package struct Setting: Sendable, Hashable {
  package var name: String
  /// What is used when it is not set, as it would be written; empty: nothing.
  package var standard: String
  /// One line for the manual.
  package var help: String
  /// Never printed, and not accepted as a flag (argv is public on its machine).
  package var isSecret: Bool

  private init(_ name: String, _ standard: String, _ help: String, secret: Bool = false) {
    self.name = name
    self.standard = standard
    self.help = help
    isSecret = secret
  }

  /// `MAX_AGE` is `--max-age`.
  package var flag: String { "--" + name.lowercased().split(separator: "_").joined(separator: "-") }

  package static let host = Setting("HOST", "0.0.0.0", "address to listen on")
  package static let port = Setting("PORT", "3000", "port to listen on; 0 takes a free one")
  package static let dataDirectory = Setting(
    "DATA_DIR", "data", "folder of the index and, without R2_BUCKET_NAME, of the files")
  package static let publicURL = Setting(
    "PUBLIC_URL", "",
    "scheme and host of the answered URLs, such as https://bashupload.app; without it the request tells")
  package static let trustedProxies = Setting(
    "TRUSTED_PROXIES", "",
    "addresses and CIDRs, comma separated, whose X-Forwarded-For, -Proto and -Host are believed; none = there is no proxy"
  )
  package static let metricsHost = Setting("METRICS_HOST", "127.0.0.1", "address of /metrics")
  package static let metricsPort = Setting("METRICS_PORT", "9090", "port of /metrics; 0 = off")
  package static let password = Setting(
    "PASSWORD", "", "asked for uploads and downloads, as Authorization: <password> or as Basic password with any user",
    secret: true)
  package static let maxUploadSize = Setting(
    "MAX_UPLOAD_SIZE", "5GiB", "largest upload, in bytes or with a unit (100MB, 5GiB)")
  package static let maxAge = Setting("MAX_AGE", "3600", "life of an upload with counted downloads, in seconds")
  package static let maxAgeForMultidownload = Setting(
    "MAX_AGE_FOR_MULTIDOWNLOAD", "86400", "largest X-Expiration-Seconds, in seconds")
  package static let allowLifetimeOverMaxAge = Setting(
    "ALLOW_LIFETIME_OVER_MAX_AGE", "false", "true: X-Expiration-Seconds may exceed MAX_AGE_FOR_MULTIDOWNLOAD")
  package static let maxDownloads = Setting("MAX_DOWNLOADS", "1000", "largest X-Max-Downloads")
  package static let enableShortURL = Setting("ENABLE_SHORT_URL", "false", "true: /short answers a short URL")
  package static let shortURLService = Setting("SHORT_URL_SERVICE", "", "URL of a MyUrls service for /short")
  package static let noCleanup = Setting(
    "NO_CLEANUP", "false", "true: serve does not clean up; run bashupload cleanup instead")
  package static let cleanupInterval = Setting(
    "CLEANUP_INTERVAL", "300", "time between two cleanups inside serve, in seconds")
  package static let leaseSeconds = Setting(
    "LEASE_SECONDS", "60", "how long a download that has stopped moving keeps its place, in seconds")
  package static let resumeSeconds = Setting(
    "RESUME_SECONDS", "60", "how long a finished download can be resumed from the same address, in seconds")
  package static let minFreeSpace = Setting("MIN_FREE_SPACE", "256MiB", "disk space that uploads never use")
  package static let storageQuota = Setting(
    "STORAGE_QUOTA", "0", "most bytes of all stored uploads; 0 = only the disk limits; not with R2_BUCKET_NAME")
  package static let shutdownGrace = Setting(
    "SHUTDOWN_GRACE", "30", "how long transfers may go on after SIGTERM, in seconds")
  package static let headerTimeout = Setting("HEADER_TIMEOUT", "15", "time for a request head, in seconds")
  package static let idleTimeout = Setting(
    "IDLE_TIMEOUT", "60", "time without a byte before a connection is closed, in seconds")
  package static let minRate = Setting(
    "MIN_RATE", "64", "slowest transfer, in bytes per second averaged over IDLE_TIMEOUT; 0 = any")
  package static let maxConnections = Setting("MAX_CONNECTIONS", "1000", "connections at one time (503 above)")
  package static let maxConnectionsPerClient = Setting(
    "MAX_CONNECTIONS_PER_CLIENT", "0",
    "connections, and requests in progress, of one client address (429 above); 0 = any")
  package static let uploadsPerMinute = Setting(
    "UPLOADS_PER_MINUTE", "0", "uploads of one client address (429 above); 0 = any")
  package static let maxRequestLine = Setting("MAX_REQUEST_LINE", "8KiB", "longest request target (414 above)")
  package static let maxHeaderSize = Setting("MAX_HEADER_SIZE", "32KiB", "all request fields together (431 above)")
  package static let tlsCertificateFile = Setting(
    "TLS_CERT_FILE", "", "PEM certificate chain: serve ends TLS itself; read again when it changes")
  package static let tlsKeyFile = Setting("TLS_KEY_FILE", "", "PEM key of TLS_CERT_FILE")
  package static let logLevel = Setting("LOG_LEVEL", "info", "trace, debug, info, notice, warning, error or critical")
  package static let logFormat = Setting("LOG_FORMAT", "auto", "text, json, or auto: text on a terminal, else JSON")
  package static let r2AccountID = Setting(
    "R2_ACCOUNT_ID", "", "Cloudflare account of the bucket: 32 hexadecimal digits")
  package static let r2AccessKeyID = Setting("R2_ACCESS_KEY_ID", "", "access key of the bucket", secret: true)
  package static let r2SecretAccessKey = Setting("R2_SECRET_ACCESS_KEY", "", "secret key of the bucket", secret: true)
  package static let r2BucketName = Setting(
    "R2_BUCKET_NAME", "", "bucket for the files; without it they are on the local disk")
  package static let r2Endpoint = Setting(
    "R2_ENDPOINT", "", "URL of another S3 service, or of a jurisdiction of R2; instead of R2_ACCOUNT_ID")
  package static let r2Region = Setting("R2_REGION", "auto", "region of the bucket")
  package static let r2WriteETags = Setting(
    "R2_WRITE_ETAGS", "auto",
    "how If-Match of a write names a version: quoted, unquoted (Ceph's radosgw), or auto: found out at the start")
  package static let sslCertificateFile = Setting(
    "SSL_CERT_FILE", "",
    "PEM file of the authorities that the bucket's certificate is checked with, instead of the system's")
  package static let partMemory = Setting(
    "PART_MEMORY", "48MiB", "memory for parts on their way to and from the bucket; more parts wait on the disk")

  /// Every setting, in the order of the manual.
  package static let all: [Setting] = [
    host, port, dataDirectory, publicURL, trustedProxies, password,
    maxUploadSize, maxAge, maxAgeForMultidownload, allowLifetimeOverMaxAge, maxDownloads,
    enableShortURL, shortURLService, noCleanup, cleanupInterval, leaseSeconds, resumeSeconds,
    minFreeSpace, storageQuota, shutdownGrace, headerTimeout, idleTimeout, minRate,
    maxConnections, maxConnectionsPerClient, uploadsPerMinute, maxRequestLine, maxHeaderSize,
    tlsCertificateFile, tlsKeyFile, metricsHost, metricsPort, logLevel, logFormat,
    r2AccountID, r2AccessKeyID, r2SecretAccessKey, r2BucketName, r2Endpoint, r2Region,
    r2WriteETags, sslCertificateFile, partMemory,
  ]
}
