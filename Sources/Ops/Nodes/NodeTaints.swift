/// The taints of a node in Kubernetes, as `key=value:Effect`.
struct NodeTaints: Sendable {
  private let node: NodeSpec
  private let isSpotEnabled: Bool

  init(_ node: NodeSpec, of file: ClusterFile) {
    self.node = node
    isSpotEnabled = file.features.enabled.contains(.spot)
  }

  /// In the order in which they are written.
  var all: [String] {
    // k3s itself taints nobody. A server that serves as well has to take pods.
    var taints = node.role == .control ? ["node-role.kubernetes.io/control-plane=true:NoSchedule"] : []
    if node.isSpot, isSpotEnabled { taints.append("bashupload.app/spot=true:NoSchedule") }
    return taints + node.taints
  }
}
