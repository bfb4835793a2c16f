/// The labels of a node in Kubernetes.
package struct NodeLabels: Sendable {
  private let node: NodeSpec

  package init(_ node: NodeSpec) {
    self.node = node
  }

  /// In the order in which they are written.
  package var all: [(key: String, value: String)] {
    var labels = [
      ("bashupload.app/role", node.role == .control ? "control" : "edge"),
      ("bashupload.app/provider", node.provider),
      ("topology.kubernetes.io/region", node.region),
    ]
    if node.isSpot { labels.append(("bashupload.app/spot", "true")) }
    return labels.map { (key: $0.0, value: $0.1) } + node.labels
  }

  /// Those that a kubelet may give itself when it joins. With another one in the name space of Kubernetes it does not start
  /// (admission NodeRestriction); these are set through the API server.
  var atJoin: [(key: String, value: String)] {
    all.filter { label in
      guard label.key.contains("/") else { return true }
      let space = label.key.prefix { $0 != "/" }
      guard ["kubernetes.io", "k8s.io"].contains(where: { space == $0 || space.hasSuffix(".\($0)") }) else {
        return true
      }
      return Self.allowed.contains(label.key)
        || ["node.kubernetes.io", "kubelet.kubernetes.io"].contains { space == $0 || space.hasSuffix(".\($0)") }
    }
  }

  private static let allowed: Set = [
    "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region", "node.kubernetes.io/instance-type",
  ]
}
