/// The k3s that a node shall have.
struct K3sBinary: Hashable, Sendable {
  /// Where it comes from.
  enum Source: Hashable, Sendable {
    case url(String)
    /// On the machine that runs deploy.
    case file(String)
  }

  /// Why there is none for a node.
  struct Refusal: Error, CustomStringConvertible {
    var description: String
  }

  var sha256: String
  var source: Source

  /// - Parameter digest: of a file on this machine; `nil` when there is none.
  /// - Returns: `nil`: the file does not say which version, so what is on the nodes is left alone.
  static func wanted(
    _ settings: KubernetesSettings, architecture: String?, digest: (String) throws -> String?
  ) throws -> K3sBinary? {
    guard let version = settings.version else { return nil }
    guard let architecture else { throw Refusal(description: "k3s is for x86_64 and aarch64 only") }
    let known = settings.sha256[architecture]
    if let path = settings.binaries[architecture] {
      guard let found = try digest(path) else {
        throw Refusal(description: "kubernetes.k3s.file.\(architecture): \(path) is not there")
      }
      if let known, known != found {
        throw Refusal(
          description:
            "kubernetes.k3s.file.\(architecture): \(path) has the digest \(found), not \(known) of kubernetes.k3s.sha256"
        )
      }
      return K3sBinary(sha256: found, source: .file(path))
    }
    guard let known else {
      throw Refusal(
        description: "kubernetes.k3s.sha256.\(architecture) is missing: write the digest of the binary, "
          + "from the release's sha256sum-\(architecture).txt")
    }
    let name = architecture == "amd64" ? "k3s" : "k3s-\(architecture)"
    let url = settings.url.replacing("{version}", with: version.replacing("+", with: "%2B")).replacing(
      "{binary}", with: name)
    return K3sBinary(sha256: known, source: .url(url))
  }
}
