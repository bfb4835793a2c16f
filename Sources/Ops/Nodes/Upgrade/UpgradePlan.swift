/// In which order nodes get the k3s of the cluster file. Pure: versions in, order out.
package struct UpgradePlan: Sendable {
  /// Why there is no way from here to there.
  package struct Refusal: Error, CustomStringConvertible {
    package var description: String
  }

  package let target: K3sVersion
  /// Nodes that have another version, in the order in which they get it: an API server may be newer than kubelets, never older.
  package let nodes: [NodeSpec]

  /// - Parameter versions: of the nodes in the cluster, by name.
  package init(_ file: ClusterFile, versions: [String: String]) throws(Refusal) {
    guard let text = file.kubernetes.version, let target = K3sVersion(text) else {
      throw Refusal(description: "kubernetes.k3s.version is not in the file: write the version to upgrade to")
    }
    self.target = target
    var nodes: [NodeSpec] = []
    for node in file.controls + file.nodes.filter({ $0.role == .edge }) {
      guard let text = versions[node.name], let current = K3sVersion(text) else {
        throw Refusal(description: "\(node.name) is not in the cluster: bashupload deploy apply brings it there first")
      }
      if current == target { continue }
      if current > target {
        throw Refusal(
          description:
            "\(node.name) has \(current), newer than \(target): k3s does not go back; bashupload deploy restore "
            + "brings back a state with the version that it was saved with")
      }
      if target.major != current.major || target.minor > current.minor + 1 {
        throw Refusal(
          description: "\(node.name) has \(current): one minor version at a time, so first to a v\(current.major)."
            + "\(current.minor + 1) (kubernetes.k3s.version and sha256), then on")
      }
      nodes.append(node)
    }
    self.nodes = nodes
  }
}
