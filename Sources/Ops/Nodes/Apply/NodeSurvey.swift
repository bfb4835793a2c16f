/// What all nodes have told, and who has not answered.
struct NodeSurvey: Sendable {
  /// Facts by name of the node.
  var facts: [String: NodeFacts] = [:]
  /// Who has not answered, and why; in the order of the cluster file.
  var failures: [NodeFailure] = []
  /// Whose k3s has been started since.
  var started: Set<String> = []

  /// Digests of the kubeconfigs that k3s has made, by name of the node.
  var kubeconfigs: [String: String] { facts.compactMapValues { $0.sums[FactsScript.kubeconfig] } }

  /// What the files of nodes need of one another's facts.
  func known(_ file: ClusterFile) -> KnownFacts {
    var known = KnownFacts()
    for node in file.nodes {
      var entry = KnownFacts.Node()
      // A node that is away is still known by its neighbours' files. One that answers and has no key gets a new one: what
      // its neighbours know is the old one.
      entry.publicKey =
        facts[node.name].map(\.publicKey)
        ?? facts.sorted { $0.key < $1.key }.lazy.compactMap { $0.value.peers[node.name] }.first
      entry.server = NodeMembership(file, self).server(of: node)
      if let own = node.privateAddress { entry.interface = facts[node.name]?.interfaces[own] }
      known.nodes[node.name] = entry
    }
    known.absent = Set(failures.map(\.node))
    return known
  }
}
