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
}
