/// The bucket of all nodes.
package struct BucketStorage: Hashable, Sendable {
  /// Where Cloudflare promises to keep the objects.
  package enum Jurisdiction: String, Sendable {
    case standard = "default"
    case eu, fedramp
  }

  package var accountID: String
  package var bucket: String
  package var jurisdiction: Jurisdiction
  /// Another S3 service than R2.
  package var customEndpoint: String?
  package var accessKeyID: SecretReference
  package var secretAccessKey: SecretReference

  /// What the server has to be told; `nil`: it follows from the account.
  package var endpoint: String? {
    if let customEndpoint { return customEndpoint }
    return jurisdiction == .standard
      ? nil : "https://\(accountID).\(jurisdiction.rawValue).r2.cloudflarestorage.com"
  }
}
