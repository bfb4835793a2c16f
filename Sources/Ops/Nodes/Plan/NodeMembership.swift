/// Which of the nodes that have answered are members of a cluster already. Pure: cluster file and facts in.
///
/// A member has a token. Tokens are made on the first control node, so a first one without a token among members is a machine
/// that was built anew: with new tokens it would begin another cluster, and take the others out of theirs.
struct NodeMembership: Sendable {
  private let file: ClusterFile
  private let survey: NodeSurvey

  init(_ file: ClusterFile, _ survey: NodeSurvey) {
    self.file = file
    self.survey = survey
  }

  private func isMember(_ node: NodeSpec) -> Bool {
    survey.facts[node.name]?.sums[K3sConfiguration.tokenPath] != nil
  }

  /// It has answered, and has no token.
  private func isNew(_ node: NodeSpec) -> Bool { survey.facts[node.name] != nil && !isMember(node) }

  private func runs(_ node: NodeSpec) -> Bool {
    survey.facts[node.name]?.units[NodeService.kubernetes.unit(of: node) ?? ""]?.isActive == true
  }

  /// A member of etcd whose k3s does not run: the others have one vote less.
  func isStopped(_ node: NodeSpec) -> Bool {
    node.role != .edge && survey.facts[node.name]?.isMember == true && !runs(node)
      && !survey.started.contains(node.name)
  }

  /// The control node that runs already where this one is new; `nil`: there is none, or this one is a member.
  func host(of node: NodeSpec) -> NodeSpec? {
    node.role != .edge && isNew(node) ? member(besides: node) : nil
  }

  /// Another control node that runs as a member.
  func member(besides node: NodeSpec) -> NodeSpec? {
    file.controls.first { $0.name != node.name && isMember($0) && runs($0) }
  }

  /// Whether it is the first control node and gets its tokens from another one.
  func joinsAgain(_ node: NodeSpec) -> Bool { node.name == file.controls.first?.name && host(of: node) != nil }

  /// The control node that has the tokens.
  var source: NodeSpec? { file.controls.first.map { host(of: $0) ?? $0 } }

  /// Where the first control node joins when it is not the one that begins. It keeps what it has joined: k3s does not care later
  /// on, and nothing is to be restarted for it.
  func server(of node: NodeSpec) -> IPAddress? {
    guard node.name == file.controls.first?.name else { return nil }
    let network = NodeNetwork(file)
    func address(_ other: NodeSpec) -> IPAddress {
      network.meshAddress(other) ?? network.endpoint(from: node, to: other)
    }
    if let host = host(of: node) { return address(host) }
    guard isMember(node), let server = survey.facts[node.name]?.server else { return nil }
    return file.controls.contains { $0.name != node.name && address($0) == server } ? server : nil
  }

  /// Why nothing may be changed anywhere.
  /// - Parameter only: the node that is meant; `nil`: all. The first control node alone may begin anew beside members: they are
  ///   not touched, and a restore makes it theirs.
  func refusal(only: String?) -> String? {
    let restoring = file.controls.map(\.name).filter { survey.facts[$0]?.isRestoring == true }
    if !restoring.isEmpty {
      return
        "a restore has begun on \(restoring.joined(separator: ", ")) and not ended: run bashupload deploy restore again; it "
        + "ends it, or brings back what was there"
    }
    guard let first = file.controls.first, let facts = survey.facts[first.name] else { return nil }
    let others = file.nodes.filter { $0.name != first.name }
    let back =
      "bring it back first (bashupload deploy apply --only node/\(first.name), then bashupload deploy restore --from DIR)"
    if isNew(first), host(of: first) == nil {
      let silent = file.controls.map(\.name).filter { name in survey.failures.contains { $0.node == name } }
      if !silent.isEmpty {
        return
          "\(first.name) is new, and \(silent.joined(separator: ", ")) could not be asked whether there is a cluster "
          + "already: mend that first; if they are lost as well, take them out of the file and \(back)"
      }
      let members = others.filter(isMember).map(\.name)
      if only != first.name, !members.isEmpty {
        return "\(first.name) is new and \(members.joined(separator: ", ")) belong to a cluster already: \(back)"
      }
    }
    guard only == nil, let own = facts.authority else { return nil }
    let told = others.compactMap { node in survey.facts[node.name]?.authority.map { (name: node.name, authority: $0) } }
    if told.isEmpty || told.contains(where: { $0.authority == own }) { return nil }
    return "\(first.name) has a cluster of its own and \(told.map(\.name).joined(separator: ", ")) belong to another: "
      + "bashupload deploy restore --from DIR brings theirs back; if they shall come to the one of \(first.name), "
      + "bashupload deploy apply --only node/NAME takes each there"
  }
}
