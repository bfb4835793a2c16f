/// Labels and taints of a node in the cluster: k3s sets them when the node joins, and at no other time. What the file says
/// later is set here, and what it no longer says goes; what others have set stays.
struct NodeRegistration: Sendable {
  /// What we have set: without it nobody would know what was ours when it leaves the file.
  static let annotation = "bashupload.app/registered"

  let node: String
  /// Words for `kubectl label` and `kubectl taint`.
  private(set) var labels: [String] = []
  private(set) var taints: [String] = []
  /// The new value of the annotation, when it has another.
  private(set) var registered: String?
  private(set) var lines: [String] = []

  /// - Parameter live: the node as the cluster knows it.
  init(_ node: NodeSpec, of file: ClusterFile, live: KubernetesObject) {
    self.node = node.name
    let metadata = live.value["metadata"]
    let known = metadata?.at("annotations")?[Self.annotation]?.string
    let before = (known ?? "").split(separator: ",").map(String.init)
    let present = metadata?["labels"]?.members ?? [:]
    let wantedLabels = NodeLabels(node).all
    for (key, value) in wantedLabels where present[key]?.string != value {
      labels.append("\(key)=\(value)")
      lines.append("~ node/\(node.name) label \(key): \(present[key]?.string ?? "none") -> \(value)")
    }
    var current: [String: String] = [:]
    for taint in live.value.at("spec", "taints")?.array ?? [] {
      let key = "\(taint["key"]?.string ?? ""):\(taint["effect"]?.string ?? "")"
      current[key] = taint["value"]?.string ?? ""
    }
    let wantedTaints = NodeTaints(node, of: file).all.map(Self.parts)
    for taint in wantedTaints where current[taint.key] != taint.value {
      taints.append(taint.text)
      lines.append("~ node/\(node.name) taint \(taint.text)")
    }
    let names = Set(wantedLabels.map { "label \($0.key)" } + wantedTaints.map { "taint \($0.key)" })
    for name in before where !names.contains(name) {
      let key = String(name.dropFirst("label ".count))
      switch name.prefix(6) {
      case "label " where present[key] != nil:
        labels.append("\(key)-")
        lines.append("- node/\(node.name) label \(key)")
      case "taint " where current[key] != nil:
        taints.append("\(key)-")
        lines.append("- node/\(node.name) taint \(key)")
      default: break
      }
    }
    let now = names.sorted().joined(separator: ",")
    if now != known { registered = now }
  }

  private static func parts(_ text: String) -> (text: String, key: String, value: String) {
    let halves = text.split(separator: ":", maxSplits: 1).map(String.init)
    let pair = (halves.first ?? "").split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
      String.init)
    return (text, "\(pair.first ?? ""):\(halves.last ?? "")", pair.count == 2 ? pair[1] : "")
  }
}
