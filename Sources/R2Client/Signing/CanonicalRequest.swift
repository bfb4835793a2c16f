/// A request in the one form that both sides sign (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
package struct CanonicalRequest: Sendable {
  /// `GET`, `PUT`, …
  package var method: String
  /// Percent encoded once, with its slash at the beginning.
  package var path: String
  /// Not encoded.
  package var query: [(name: String, value: String)]
  /// All that are signed, `host` among them.
  package var headers: [(name: String, value: String)]
  /// Hexadecimal SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
  package var payloadHash: String

  package init(
    method: String, path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)],
    payloadHash: String
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.payloadHash = payloadHash
  }

  /// The query as it is signed, and as the client sends it too.
  package var canonicalQuery: String {
    query.map { (PercentEncoding.component($0.name), PercentEncoding.component($0.value)) }
      .sorted { $0 < $1 }
      .map { "\($0.0)=\($0.1)" }
      .joined(separator: "&")
  }

  /// Names in lower case and in order; several values of one name in the order given.
  private var sortedHeaders: [(name: String, value: String)] {
    var values: [String: [String]] = [:]
    for header in headers {
      values[header.name.lowercased(), default: []].append(Self.trimmed(header.value))
    }
    return values.map { ($0.key, $0.value.joined(separator: ",")) }.sorted { $0.0 < $1.0 }
  }

  package var signedHeaders: String {
    sortedHeaders.map(\.name).joined(separator: ";")
  }

  /// What is hashed into the string to sign.
  package var text: String {
    let headerLines = sortedHeaders.map { "\($0.name):\($0.value)\n" }.joined()
    return "\(method)\n\(path)\n\(canonicalQuery)\n\(headerLines)\n\(signedHeaders)\n\(payloadHash)"
  }

  /// Without spaces at the ends, runs of spaces as one.
  private static func trimmed(_ value: String) -> String {
    value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }
}
