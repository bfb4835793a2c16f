/// Secret files of a node: made on it, or brought over standard input. They are never in a `NodeTree`, a plan or a log.
struct NodeSecrets: Sendable {
  /// Where the content of a file comes from.
  enum Content: Sendable {
    /// The node makes it once and keeps it.
    case generated
    /// Here it is.
    case text(String)
    /// Another node has it; its digest is known.
    case digest(String)
    /// Another node has it and could not be asked.
    case unknown
    /// Another node makes it; whatever is there by now is an older one.
    case made
  }

  /// A secret file.
  struct File: Sendable {
    var path: String
    var content: Content
    /// Whether a service that has been started with another one has to be told.
    var isStamped = true
  }

  var files: [File]

  /// - Parameters:
  ///   - first: facts of the control node that has the tokens; `nil`: it could not be asked.
  ///   - joins: whether this is the first control node and takes the tokens of another one: it was built anew.
  ///   - tokens: contents by path on that node, once they have been fetched.
  ///   - credentials: of the snapshots; `nil`: they are not used, or not known here.
  init(
    _ node: NodeSpec, of file: ClusterFile, first: NodeFacts?, joins: Bool = false, tokens: [String: String],
    credentials: String?
  ) {
    func from(_ path: String) -> Content {
      if let text = tokens[path] { return .text(text) }
      guard let first else { return .unknown }
      if let digest = first.sums[path] { return .digest(digest) }
      return first.sums[K3sConfiguration.tokenPath] == nil ? .made : .unknown
    }
    let network = NodeNetwork(file)
    if network.first?.name == node.name, !joins {
      files = [
        File(path: K3sConfiguration.tokenPath, content: .generated),
        File(path: K3sConfiguration.agentTokenPath, content: .generated),
      ]
    } else if node.role == .edge {
      files = [File(path: K3sConfiguration.tokenPath, content: from(FactsScript.joinToken))]
    } else {
      files = [
        // From then on the first has them as if it had made them: no second start because of that.
        File(path: K3sConfiguration.tokenPath, content: from(FactsScript.serverToken), isStamped: !joins),
        File(
          path: K3sConfiguration.agentTokenPath, content: from(K3sConfiguration.agentTokenPath), isStamped: !joins),
      ]
    }
    if node.role != .edge, let credentials {
      files.append(File(path: K3sConfiguration.snapshotCredentialsPath, content: .text(credentials)))
    }
  }

  /// k3s reads it beside its configuration.
  static func snapshotCredentials(accessKey: String, secretKey: String) -> String {
    "etcd-s3-access-key: \(JSONValue.string(accessKey).json)\netcd-s3-secret-key: \(JSONValue.string(secretKey).json)\n"
  }
}
