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

extension NodeTaints {
  /// A taint in its parts; without a value any value is tolerated.
  struct Taint: Hashable, Sendable {
    var key: String
    var value: String?
    var effect: String

    /// - Parameter text: `key=value:Effect` or `key:Effect`, of the right form.
    init(_ text: String) {
      let halves = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      let pair = halves[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      key = pair[0]
      value = pair.count > 1 && !pair[1].isEmpty ? pair[1] : nil
      effect = halves.last ?? ""
    }
  }

  /// The taints of edges that would keep the service's own pod away, each once. Those that only make a node less wanted keep
  /// no pod of a DaemonSet away.
  static func tolerated(_ file: ClusterFile) -> [Taint] {
    var found: [Taint] = []
    for taint in file.edges.flatMap(\.taints).map({ Taint($0) }) where taint.effect != "PreferNoSchedule" {
      if !found.contains(taint) { found.append(taint) }
    }
    return found
  }
}
