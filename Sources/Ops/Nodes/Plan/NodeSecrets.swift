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
    /// Another node has it and could not be asked, or has not made it yet.
    case unknown
  }

  /// A secret file.
  struct File: Sendable {
    var path: String
    var content: Content
  }

  var files: [File]

  /// - Parameters:
  ///   - first: facts of the node that begins the cluster; `nil`: it could not be asked.
  ///   - tokens: contents by path on that node, once they have been fetched.
  ///   - credentials: of the snapshots; `nil`: they are not used, or not known here.
  init(
    _ node: NodeSpec, of file: ClusterFile, first: NodeFacts?, tokens: [String: String], credentials: String?
  ) {
    func from(_ path: String) -> Content {
      if let text = tokens[path] { return .text(text) }
      return first?.sums[path].map { .digest($0) } ?? .unknown
    }
    let network = NodeNetwork(file)
    if network.first?.name == node.name {
      files = [
        File(path: K3sConfiguration.tokenPath, content: .generated),
        File(path: K3sConfiguration.agentTokenPath, content: .generated),
      ]
    } else if node.role == .edge {
      files = [File(path: K3sConfiguration.tokenPath, content: from(FactsScript.joinToken))]
    } else {
      files = [
        File(path: K3sConfiguration.tokenPath, content: from(FactsScript.serverToken)),
        File(path: K3sConfiguration.agentTokenPath, content: from(K3sConfiguration.agentTokenPath)),
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
