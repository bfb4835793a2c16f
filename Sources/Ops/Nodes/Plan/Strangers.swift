/// Control nodes of the cluster that the file does not have as such. They are members of etcd, and the new firewalls would cut
/// them off. Pure: cluster file and Nodes in.
struct Strangers: Sendable {
  private let running: [String]
  private let gone: [String]
  /// Edges that have left the file.
  private let left: [String]

  /// - Parameter live: the Nodes of the cluster; empty where it is not known.
  init(_ file: ClusterFile, _ live: [KubernetesObject]) {
    let strangers = live.filter { node in
      let labels = node.value.at("metadata", "labels")?.members ?? [:]
      return !file.controls.contains { $0.name == node.name }
        && ["control-plane", "etcd"].contains { labels["node-role.kubernetes.io/\($0)"] != nil }
    }
    running = strangers.filter(DeployCommand.isReady).map(\.name)
    left = live.filter { node in
      !strangers.contains { $0.name == node.name } && !file.nodes.contains { $0.name == node.name }
    }.map(\.name)
    gone = strangers.filter { !DeployCommand.isReady($0) }.map(\.name)
  }

  /// Why nothing may be changed.
  var refusal: String? {
    guard let name = running.first else { return nil }
    return
      "\(name) is a control node of this cluster and not of the file: bashupload deploy remove \(name) takes it out, one control "
      + "node after the other (by hand: kubectl delete node \(name), which takes it out of etcd, and then systemctl disable "
      + "--now k3s on it); if it is gone already, run this again in a minute"
  }

  var notes: [String] {
    gone.map {
      "\($0) is no control node of the file and does not answer, and etcd still counts it: kubectl delete node \($0)"
    }
      + left.map {
        "\($0) is in the cluster and not in the file, and serves as long as it runs: bashupload deploy remove \($0) takes it out"
      }
  }
}
