import NIOHTTP1

extension R2Client {
  /// What a presigned URL allows.
  public enum PresignedMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case delete = "DELETE"
  }

  /// A URL with which anybody can do one thing to one object, as often as they like, until its time is over. Costs no request.
  ///
  /// Works only at the store's own host, not at a custom domain of R2. The URL is a secret.
  ///
  /// - Parameter validity: whole seconds, from one second to seven days; else `InvalidArgument`.
  public func presignedURL(_ method: PresignedMethod, _ key: String, validFor validity: Duration) throws -> String {
    let operation: S3Operation =
      switch method {
      case .get: .getObject
      case .head: .headObject
      case .put: .putObject
      case .delete: .deleteObject
      }
    let request = try request(operation, HTTPMethod(rawValue: method.rawValue), key: key)
    let seconds = validity.components.seconds
    guard (1...604_800).contains(seconds) else {
      throw request.failure(.invalidArgument, "a presigned URL is valid for 1 to 604,800 seconds")
    }
    let canonical = CanonicalRequest(
      method: method.rawValue, path: endpoint.path(key), query: [], headers: [("host", endpoint.host)],
      payloadHash: SigV4Signer.unsignedPayload)
    let query = signer.presignedQuery(of: canonical, at: options.now(), seconds: Int(seconds))
    return "\(endpoint.origin)\(canonical.path)?\(query)"
  }
}
