extension S3Error {
  /// One line for whoever operates the service: what is wrong, and what to do.
  ///
  /// HEAD answers have no body, so HeadBucket cannot tell a wrong key from a missing permission: ask with
  /// ``R2Client/listObjectsV2(prefix:delimiter:startAfter:continuationToken:maxKeys:)`` and `maxKeys: 1`.
  public func explanation(_ configuration: R2Configuration) -> String {
    let bucket = "bucket \"\(configuration.bucket)\""
    switch code {
    case .invalidAccessKeyID, .unauthorized:
      return "the store does not know the access key: check its id, and that it belongs to \(configuration.endpoint)"
    case .signatureDoesNotMatch:
      return "the secret access key does not belong to the access key id, or the region \"\(configuration.region)\" is "
        + "wrong: check both"
    case .noSuchBucket: return "there is no \(bucket) at \(configuration.endpoint): create it, or check its name"
    case .accessDenied:
      return "the access key may not do \(operation.rawValue) on the \(bucket): give it read and write permission "
        + "for objects (and check the key, when nothing else works either)"
    case .requestTimeTooSkewed, .expiredRequest:
      return "the clock of this machine is \(skew): set it, for instance with chrony or systemd-timesyncd"
    case .nameNotFound:
      return "the name of \(configuration.endpoint) is not known: check the endpoint, then the DNS of this machine"
    case .connectionFailed:
      return "nobody answers at \(configuration.endpoint) (\(message)): check the endpoint, and that outgoing "
        + "connections are allowed"
    case .connectTimeout:
      return "\(configuration.endpoint) gives no connection in time: check the endpoint and the firewall"
    case .tlsFailed:
      return "\(configuration.endpoint) is not trusted or speaks no TLS (\(message)): check https and http, the "
        + "certificate, and the clock of this machine"
    case .trustRootsUnreadable:
      return "\(message) cannot be read, or holds no certificate: it must be a PEM file of certificate authorities"
    case .slowDown, .tooManyRequests: return "the store asks for fewer requests: it will be tried again"
    default: return "\(self)"
    }
  }

  private var skew: String {
    guard let seconds = clockAhead?.components.seconds, seconds != 0 else { return "wrong" }
    return "\(abs(seconds)) seconds \(seconds > 0 ? "behind" : "ahead of") the store's"
  }
}
