/// The addresses by which control nodes are members of etcd: a member keeps its own as long as it is one; with another one k3s
/// does not start ("this server is a not a member of the etcd cluster", https://github.com/k3s-io/k3s/issues/7558).
struct MemberAddresses: Sendable {
  private let file: ClusterFile
  private let survey: NodeSurvey

  init(_ file: ClusterFile, _ survey: NodeSurvey) {
    self.file = file
    self.survey = survey
  }

  /// Why nothing may be changed; `nil`: every member keeps its address.
  /// - Parameter only: the node that is meant; `nil`: all.
  func refusal(only: String?) -> String? {
    for node in file.controls where only == nil || only == node.name {
      guard let facts = survey.facts[node.name], let present = facts.memberAddress else { continue }
      let wanted = NodeNetwork(file).nodeAddresses(node).first
      // Without one k3s takes that of the default route, as it has done if the file never gave one.
      if wanted == present || wanted == nil && (facts.nodeAddress != present || node.address == present) { continue }
      let way =
        file.controls.count == 1
        ? "bashupload deploy backup, build the server anew, bashupload deploy apply --only node/\(node.name), and restore"
        : "build the server anew, and apply brings it back as a member"
      return
        "\(node.name) is a member of etcd with the address \(present), and the file gives it "
        + "\(wanted.map(\.description) ?? "that of its default route"): k3s does not start with another one; leave "
        + "privateAddress and mesh as they were, or, for a new address: \(way)"
    }
    return nil
  }
}
