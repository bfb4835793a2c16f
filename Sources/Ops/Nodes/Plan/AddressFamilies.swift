/// IPv4 alone or both families for pods: Kubernetes is told once, when the cluster begins.
struct AddressFamilies: Sendable {
  private let file: ClusterFile
  /// Of the cluster that runs; `nil`: none does.
  private let isDualStack: Bool?
  private let networks: (pods: IPNetwork, services: IPNetwork)?

  init(_ file: ClusterFile, _ survey: NodeSurvey) {
    self.file = file
    let facts = file.controls.first.flatMap { survey.facts[$0.name] }
    isDualStack = facts?.isDualStack
    networks = facts.flatMap { $0.isDualStack == nil ? nil : ($0.podNetwork, $0.serviceNetwork) }
  }

  /// Why nothing may be changed; `nil`: the file says what the cluster is.
  var refusal: String? {
    if let networks {
      for (key, there, wanted) in [
        ("pods", networks.pods, file.kubernetes.podNetwork),
        ("services", networks.services, file.kubernetes.serviceNetwork),
      ] where there != wanted {
        return
          "kubernetes.network.\(key) is \(wanted), and this cluster began with \(there): Kubernetes cannot change it "
          + "later; write \(there)"
      }
    }
    guard let isDualStack, isDualStack != NodeNetwork(file).isDualStack else { return nil }
    if !isDualStack {
      return
        "every node has address6, so pods would get IPv6, and this cluster began without it: Kubernetes cannot add it "
        + "later; leave address6 out of one node"
    }
    let without = file.nodes.filter { $0.address6 == nil }.map(\.name)
    return "pods of this cluster have IPv6, and Kubernetes cannot take it away later: "
      + (without.isEmpty
        ? "mesh \(file.mesh.type.rawValue) does not carry it; write wireguardNative"
        : "\(without.joined(separator: ", ")) without address6; write it, or leave the node out")
  }
}
