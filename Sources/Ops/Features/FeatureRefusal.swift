import UploadCore

/// A feature that does harm on the nodes of this cluster: the reason, and the limit that it breaks.
package struct FeatureRefusal: Hashable, Sendable, CustomStringConvertible {
  package var feature: Feature
  package var reason: String
  /// Where it is switched on.
  package var position: Position

  package var description: String {
    "features.\(feature.rawValue): \(reason); leave it off, or force it with --allow \(feature.rawValue)"
  }
}

extension ClusterFile {
  /// The enabled features that are refused unless `allowed` names them.
  package func refusals(allowing allowed: Set<Feature> = []) -> [FeatureRefusal] {
    Feature.allCases.filter { features.enabled.contains($0) && !allowed.contains($0) }.compactMap { feature in
      refusal(of: feature).map {
        FeatureRefusal(
          feature: feature, reason: $0, position: features.positions[feature] ?? Position(line: 1, column: 1))
      }
    }
  }

  private func refusal(of feature: Feature) -> String? {
    switch feature {
    case .longhorn:
      return small(nodes, below: 4 << 30, cpus: 4).map {
        "Longhorn wants 4 processors and 4 GiB on every node, \($0), and nothing here uses its disks"
      }
    case .falco:
      return small(nodes, below: 4 << 30, cpus: 2).map {
        "Falco takes 150 MB to 1.5 GB of each node and wants 4 GiB, \($0); admission policies prevent what it would detect"
      }
    case .vpa:
      return small(controls, below: 4 << 30, cpus: 2).map {
        "the three pods of the Vertical Pod Autoscaler want 4 GiB on the control node, \($0), "
          + "and resizing a pod with a hostPort is an outage of its node"
      }
    case .descheduler:
      return "the descheduler never moves pods of a DaemonSet, and the service has no others: it would only use memory"
    case .monitoring:
      return small(controls, below: 2 << 30, cpus: 1).map { "Prometheus wants 2 GiB on the control node, \($0)" }
    case .logs:
      return small(nodes, below: 1 << 30, cpus: 1).map { "the log agent wants nodes with 1 GiB, \($0)" }
    case .keepalived:
      return keepalivedRefusal
    case .spot:
      return edges.contains { $0.isSpot } ? nil : "no edge has spot: true"
    case .upgradeController:
      return nodes.count == 1 ? "a cluster of one node cannot drain the node that runs its own upgrade" : nil
    case .audit:
      if features.auditLevel == "Metadata" { return nil }
      return small(controls, below: 4 << 30, cpus: 2).map {
        "level \(features.auditLevel) writes bodies beside etcd's log and wants 4 GiB, \($0); Metadata is enough"
      }
    case .tunnel, .dynamicAddress, .quota:
      return nil
    }
  }

  private var keepalivedRefusal: String? {
    if controls.count < 2 {
      return "a virtual address needs at least two control nodes, and there is \(controls.count)"
    }
    let places = Set(controls.map { "\($0.provider) \($0.region)" }).sorted()
    return places.count > 1
      ? "VRRP needs one network segment, and the control nodes are at \(places.joined(separator: ", "))" : nil
  }

  /// Which nodes have less, as a part of a sentence.
  private func small(_ nodes: [NodeSpec], below memory: Int64, cpus: Int) -> String? {
    let tooSmall = nodes.filter { $0.memory.bytes < memory || $0.cpus < cpus }
    guard let node = tooSmall.first else { return nil }
    return "\(node.name) has \(node.cpus) and \(SizeText.short(node.memory.bytes))"
      + (tooSmall.count > 1 ? " (and \(tooSmall.count - 1) more)" : "")
  }
}
