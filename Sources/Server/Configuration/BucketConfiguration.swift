import R2Client
import UploadCore

/// The bucket that holds the files, and how much memory moving them may take.
package struct BucketConfiguration: Sendable {
  package var location: R2Configuration
  package var credentials: S3Credentials
  /// Bytes of part buffers, for all transfers together.
  package var partMemory = ByteCount(48 << 20)
  /// PEM file of the authorities that the store's certificate is checked with; nil: the system's.
  package var trustRootsFile: String?

  package init(location: R2Configuration, credentials: S3Credentials) {
    self.location = location
    self.credentials = credentials
  }
}

extension ServerConfiguration {
  /// Without `R2_BUCKET_NAME` there is no bucket; with it everything else of it must be there.
  mutating func readBucket(_ values: inout SettingReader) {
    let account = values.parsed(.r2AccountID, "must be 32 hexadecimal digits") { text in
      R2Configuration(accountID: text, bucket: "").map { _ in text }
    }
    let endpoint = values.parsed(.r2Endpoint, "must be a URL such as https://s3.example.com") { text in
      text.hasPrefix("https://") || text.hasPrefix("http://") ? text : nil
    }
    var quoting: R2Configuration.ETagQuoting?
    if values.text(.r2WriteETags) != "auto" {
      quoting = values.parsed(.r2WriteETags, "must be auto, quoted or unquoted") {
        R2Configuration.ETagQuoting(rawValue: $0)
      }
    }
    let memory = values.bytes(.partMemory, (8 << 20)...(1 << 40))
    guard let name = values.text(.r2BucketName) else {
      for setting in [Setting.r2Endpoint, .r2AccessKeyID, .r2SecretAccessKey] where values.text(setting) != nil {
        values.problem(setting, "is set without R2_BUCKET_NAME: set that, or leave all R2_ settings out")
      }
      return
    }
    for setting in [Setting.r2AccessKeyID, .r2SecretAccessKey] where values.text(setting) == nil {
      values.problem(setting, "must be set when R2_BUCKET_NAME is")
    }
    guard let accessKey = values.text(.r2AccessKeyID), let secretKey = values.text(.r2SecretAccessKey) else { return }
    var location: R2Configuration?
    if let endpoint {
      location = R2Configuration(
        endpoint: Self.base(endpoint, without: name), region: values.text(.r2Region) ?? "auto", bucket: name)
    } else if let account {
      location = R2Configuration(accountID: account, bucket: name)
    } else if values.text(.r2AccountID) == nil, values.text(.r2Endpoint) == nil {
      values.problem(.r2AccountID, "must be set when R2_BUCKET_NAME is, or R2_ENDPOINT for another S3 service")
    }
    guard var location else { return }
    location.writeETags = quoting
    bucket = BucketConfiguration(
      location: location, credentials: S3Credentials(accessKeyID: accessKey, secretAccessKey: secretKey))
    if let memory { bucket?.partMemory = memory }
    bucket?.trustRootsFile = values.text(.sslCertificateFile)
  }

  /// The endpoint as dashboards show it often has the bucket in it: behind the host, or, at Cloudflare and AWS, before it.
  private static func base(_ endpoint: String, without bucket: String) -> String {
    var endpoint = endpoint
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    if endpoint.hasSuffix("/\(bucket)") { endpoint.removeLast(bucket.count + 1) }
    for scheme in ["https://", "http://"] where endpoint.hasPrefix("\(scheme)\(bucket).") {
      let host = endpoint.dropFirst(scheme.count + bucket.count + 1)
      if host.hasSuffix(".r2.cloudflarestorage.com") || host.hasPrefix("s3.") && host.hasSuffix(".amazonaws.com") {
        endpoint = scheme + host
      }
    }
    return endpoint
  }
}
