import FoundationEssentials

/// Asks nodes, plans them and makes them so: the control plane first, then up to eight at a time.
struct NodeOperator: Sendable {
  /// Nodes at once.
  private static let width = 8
  /// Seconds that a script may take: packages, a download, the first start of k3s.
  static let patience = 1_200

  let file: ClusterFile
  let context: DeployContext
  /// For the snapshots; `nil`: not used or not known.
  let credentials: String?
  /// Digest of a file on this machine.
  let digest: @Sendable (String) throws -> String?
  /// Whether a k3s that is there may be replaced by another.
  var isUpgrade = false

  var shell: SecureShell { SecureShell(context: context) }

  /// The nodes that are meant.
  /// - Parameter only: the name of one node; `nil`: all.
  func chosen(_ only: String?) -> [NodeSpec] {
    only.map { name in file.nodes.filter { $0.name == name } } ?? file.nodes
  }

  // MARK: asking

  /// One connection to each of `nodes`, and to the others whose facts they need.
  func survey(_ nodes: [NodeSpec]) async throws -> NodeSurvey {
    var asked = nodes
    // A token comes from the control node that has it; and they keep their majority only if nobody restarts one while
    // another is away.
    asked += file.controls.filter { control in !asked.contains { $0.name == control.name } }
    // Keys come from everybody.
    if file.mesh.type == .wireguard { asked = file.nodes }
    let answers = try await each(asked) { node in try await facts(node) }
    var survey = NodeSurvey()
    for (node, answer) in zip(asked, answers) {
      switch answer {
      case .success(let facts): survey.facts[node.name] = facts
      case .failure(let failure): survey.failures.append(failure)
      }
    }
    return survey
  }

  /// As `survey`, for verbs that only look: one try, and nobody else's facts.
  func glance(_ nodes: [NodeSpec]) async throws -> NodeSurvey {
    var survey = NodeSurvey()
    for (node, answer) in zip(nodes, try await each(nodes, { try await facts($0, tries: 1) })) {
      switch answer {
      case .success(let facts): survey.facts[node.name] = facts
      case .failure(let failure): survey.failures.append(failure)
      }
    }
    return survey
  }

  func facts(_ node: NodeSpec, tries: Int = SecureShell.tries) async throws -> NodeFacts {
    let tree = NodeTree(node, of: file, facts: KnownFacts())
    let paths = Set(tree.entries.map(\.file.path) + tree.missing.map(\.path)).sorted()
    let script = FactsScript(
      paths: paths, packages: NodeTree.packages(node, of: file),
      units: NodeService.allCases.filter { !$0.isSystems }.compactMap { $0.unit(of: node) })
    let result = try await shell.run({ script.text }, on: node, tries: tries)
    if result.status != 0 { throw NodeFailure(node, result) }
    return try NodeFacts(parsing: result.output)
  }

  /// Runs `body` for all, at most eight at once; a node that fails does not stop the others.
  private func each<T: Sendable>(
    _ nodes: [NodeSpec], _ body: @escaping @Sendable (NodeSpec) async throws -> T
  ) async throws -> [Result<T, NodeFailure>] {
    try await withThrowingTaskGroup(of: (Int, Result<T, NodeFailure>).self) { group in
      var results: [Int: Result<T, NodeFailure>] = [:]
      for (index, node) in nodes.enumerated() {
        if index >= Self.width, let (done, result) = try await group.next() { results[done] = result }
        group.addTask {
          do {
            return (index, .success(try await body(node)))
          } catch let error as CancellationError {
            throw error
          } catch let failure as NodeFailure {
            return (index, .failure(failure))
          } catch {
            return (index, .failure(NodeFailure(node, "\(error)")))
          }
        }
      }
      for try await (index, result) in group { results[index] = result }
      return nodes.indices.compactMap { results[$0] }
    }
  }

  // MARK: planning

  func plan(_ node: NodeSpec, _ survey: NodeSurvey, tokens: [String: String] = [:]) throws -> NodePlan {
    let facts = survey.facts[node.name] ?? NodeFacts()
    let membership = NodeMembership(file, survey)
    var known = survey.known(file)
    // What only a newer k3s understands would keep the one that stays from starting.
    if !isUpgrade { known.nodes[node.name]?.k3s = facts.k3sVersion }
    if file.mesh.type == .zerotier, survey.facts[node.name] != nil, !facts.hasZeroTier {
      throw NodeFailure(
        node,
        "mesh zerotier, and zerotier-one is not installed: install it from download.zerotier.com, then run this again")
    }
    do {
      try requireVersion(for: facts, survey)
      return NodePlan(
        NodeTree(node, of: file, facts: known),
        secrets: NodeSecrets(
          node, of: file, first: membership.source.flatMap { survey.facts[$0.name] },
          joins: membership.joinsAgain(node), tokens: tokens, credentials: credentials),
        binary: try K3sBinary.wanted(file.kubernetes, architecture: facts.k3sArchitecture, digest: digest),
        packages: NodeTree.packages(node, of: file), facts: facts, isUpgrade: isUpgrade,
        now: context.now())
    } catch {
      throw NodeFailure(node, "\(error)")
    }
  }

  /// A node has no newer k3s than the control plane (https://kubernetes.io/releases/version-skew-policy/), and `upgrade` is what
  /// changes that: what is new comes with what is there.
  private func requireVersion(for facts: NodeFacts, _ survey: NodeSurvey) throws {
    guard !isUpgrade, facts.k3sVersion == nil, facts.sums["/usr/local/bin/k3s"] == nil,
      let wanted = file.kubernetes.version.flatMap({ K3sVersion($0) }),
      let (control, there) = file.controls.lazy.compactMap({ control in
        survey.facts[control.name]?.k3sVersion.map { (control.name, $0) }
      }).first(where: { $0.1 != wanted })
    else { return }
    throw K3sBinary.Refusal(
      description:
        "it has no k3s yet, and \(control) has \(there), not \(wanted) of the file: write kubernetes.k3s.version: "
        + "\(there) with its sha256, apply, and upgrade afterwards")
  }

  /// Plans of the nodes that have answered; failures are added to the survey's.
  func plans(_ nodes: [NodeSpec], _ survey: inout NodeSurvey) -> [NodePlan] {
    var plans: [NodePlan] = []
    for node in nodes where survey.facts[node.name] != nil {
      do {
        plans.append(try plan(node, survey))
      } catch {
        survey.failures.append(error as? NodeFailure ?? NodeFailure(node, "\(error)"))
      }
    }
    return plans
  }

  // MARK: doing

  /// Makes the nodes so. What fails is in the result; nothing of it is thrown but cancellation.
  func execute(_ nodes: [NodeSpec], _ survey: NodeSurvey) async throws -> NodeSurvey {
    var survey = survey
    if file.mesh.type == .wireguard { try await makeKeys(&survey) }
    var rest = nodes.filter { survey.facts[$0.name] != nil }
    // Members that do not run take no vote from the others, and two of three wait for one another when they start.
    let membership = NodeMembership(file, survey)
    let stopped = rest.filter(membership.isStopped)
    if !stopped.isEmpty {
      rest.removeAll { node in stopped.contains { $0.name == node.name } }
      try await execute(stopped, &survey, tokens: try await tokens(for: stopped, &survey))
    }
    if let first = file.controls.first, rest.contains(where: { $0.name == first.name }) {
      rest.removeAll { $0.name == first.name }
      let joins = NodeMembership(file, survey).joinsAgain(first)
      if joins, file.mesh.type == .wireguard { try await introduce(first, survey) }
      try await execute(control: first, &survey, tokens: joins ? try await tokens(for: [first], &survey) : [:])
    }
    let tokens = try await tokens(for: rest, &survey)
    for control in rest where control.role != .edge { try await execute(control: control, &survey, tokens: tokens) }
    let edges = rest.filter { $0.role == .edge }
    let current = survey
    let renewed = edges.filter { (try? plan($0, current, tokens: tokens))?.isRenewal == true }
    try await execute(
      edges.filter { edge in !renewed.contains { $0.name == edge.name } }, &survey, tokens: tokens)
    for edge in renewed { try await execute([edge], &survey, tokens: tokens) }
    return survey
  }

  /// One control node, unless that could take the majority of etcd away: another one is not as it should be.
  private func execute(control: NodeSpec, _ survey: inout NodeSurvey, tokens: [String: String]) async throws {
    let unit = NodeService.kubernetes.unit(of: control) ?? ""
    let isRunning = survey.facts[control.name]?.units[unit]?.isActive == true
    let isRestarted =
      try plan(control, survey, tokens: tokens).restarts.contains { $0.service == .kubernetes }
    let membership = NodeMembership(file, survey)
    let failed = file.controls.first { other in
      other.name != control.name
        && (membership.isStopped(other) || survey.failures.contains { $0.node == other.name })
    }
    if let failed, isRestarted, isRunning || failed.name == file.controls.first?.name || membership.joinsAgain(control)
    {
      let failure = NodeFailure(
        control, "left alone: \(failed.name) is not as it should be, and of the control nodes one restarts at a time")
      survey.failures.append(failure)
      return context.complain(failure.description)
    }
    if let host = membership.host(of: control), isRestarted, try await !forget(control, on: host, &survey) { return }
    try await execute([control], &survey, tokens: tokens)
    // Its tokens may have come with an earlier run that ended before it was a member: then it does not look new.
    guard survey.failures.contains(where: { $0.node == control.name }),
      let member = membership.member(besides: control),
      await NodeJournal(context: context).lines(of: control).contains(where: NodeJournal.isOfAnotherMember)
    else { return }
    survey.failures.removeAll { $0.node == control.name }
    if try await forget(control, on: member, &survey) { try await execute([control], &survey, tokens: tokens) }
  }

  /// - Returns: whether the name is free.
  private func forget(_ control: NodeSpec, on member: NodeSpec, _ survey: inout NodeSurvey) async throws -> Bool {
    let result = try await shell.run({ Self.forget(control) }, on: member, deadline: 300)
    if result.status != 0 {
      let failure = NodeFailure(control, result)
      survey.failures.append(failure)
      context.complain(failure.description)
      return false
    }
    if result.output.contains("step forget") {
      context.say("node/\(control.name): a control node of this name has been here before, it is no member any more")
    }
    return true
  }

  /// A control node that was built anew is refused as long as the old one is a member of etcd; k3s takes it out when its Node
  /// goes. Asked on a member: a kubectl of this machine could reach some other cluster. One whose API does not answer has
  /// nothing to say: k3s itself then tells what is wrong.
  private static func forget(_ node: NodeSpec) -> String {
    ShellText.head + """
      set -e
      query='{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}'
      found=$(timeout 60 k3s kubectl get node \(node.name) --ignore-not-found --output=jsonpath="$query" 2>/dev/null || true)
      case $found in
        '\(node.name) True')
          echo "it is Ready in the cluster, and the server of the file is new: if the old one is gone, run apply again in a minute; if not, names differ" >&2
          exit 1
          ;;
        '\(node.name) '*)
          echo 'step forget the old \(node.name)'
          timeout 120 k3s kubectl delete node \(node.name) >/dev/null
          timeout 60 k3s kubectl --namespace=kube-system delete secret \(node.name).node-password.k3s --ignore-not-found >/dev/null
          ;;
      esac
      """ + ShellText.tail
  }

  private func execute(_ nodes: [NodeSpec], _ survey: inout NodeSurvey, tokens: [String: String]) async throws {
    let before = survey
    let results = try await each(nodes) { node in
      let plan = try plan(node, before, tokens: tokens)
      return try await execute(plan)
    }
    for (node, result) in zip(nodes, results) {
      switch result {
      case .success(let sums):
        survey.facts[node.name]?.sums.merge(sums) { $1 }
        survey.started.insert(node.name)
      case .failure(let failure):
        survey.failures.append(failure)
        context.complain(failure.description)
      }
    }
  }

  /// - Returns: digests of the tokens afterwards.
  private func execute(_ plan: NodePlan) async throws -> [String: String] {
    let node = plan.node
    if !plan.awaited.isEmpty {
      throw NodeFailure(
        node, "waits for \(plan.awaited.joined(separator: ", ")) of \(file.controls.first?.name ?? "the control node")")
    }
    if let obstacle = plan.obstacles.first { throw NodeFailure(node, obstacle) }
    if plan.isEmpty { return [:] }
    try await DeployLock.held?.renew()
    let start = context.uptime()
    if let binary = plan.binary, case .file(let path) = binary.source {
      try await shell.copy(path, to: NodeScript.staged(binary), on: node)
    }
    var script = NodeScript(plan: plan, id: "", revertAfter: file.access.revertAfter)
    let first = try await shell.run(
      {
        // A name of its own for each try: the clock of an earlier one means that one.
        script = NodeScript(
          plan: plan, id: String(UInt64.random(in: 0...UInt64.max), radix: 36), revertAfter: file.access.revertAfter)
        return script.first
      }, on: node, deadline: Self.patience)
    var result = first
    if script.needsProof {
      guard first.output.hasSuffix("armed\n") else { throw NodeFailure(node, first) }
      result = try await prove(script, on: node)
    }
    guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(node, result) }
    context.say("node/\(node.name): done (\(context.uptime() - start) s)")
    return Self.sums(result.output)
  }

  /// A new connection has to come through before the time is over; until then, and a little longer, it is tried.
  private func prove(_ script: NodeScript, on node: NodeSpec) async throws -> CommandResult {
    let start = context.uptime()
    let end = Int(file.access.revertAfter) + 20
    while true {
      let result = try await shell.once(script.second, on: node, deadline: Self.patience)
      if result.status == NodeScript.Status.reverted {
        throw NodeFailure(
          node,
          "the new firewall or sshd let no new connection in: both have come back by themselves, nothing else was changed; "
            + "look at access.adminCIDRs, access.jumpHost and ssh.port")
      }
      if result.status != SecureShell.noConnection || !result.output.isEmpty { return result }
      if context.uptime() - start > end {
        throw NodeFailure(
          node,
          "no new connection since firewall or sshd were changed (\(SecureShell.reason(result))), and none after they "
            + "should have come back")
      }
      try await context.sleep(2)
    }
  }

  private static func sums(_ output: String) -> [String: String] {
    var sums: [String: String] = [:]
    for line in output.split(separator: "\n") where line.hasPrefix("sum ") {
      let words = line.split(separator: " ")
      if words.count == 3 { sums[String(words[2])] = String(words[1]) }
    }
    return sums
  }

  // MARK: tokens and keys

  /// The contents of tokens that a node needs and does not have, by their paths on the control node that has them.
  private func tokens(for nodes: [NodeSpec], _ survey: inout NodeSurvey) async throws -> [String: String] {
    guard let first = NodeMembership(file, survey).source, survey.facts[first.name] != nil else { return [:] }
    let current = survey
    let isNeeded = nodes.contains { node in
      (try? plan(node, current))?.awaited.isEmpty == false
    }
    if !isNeeded { return [:] }
    let paths = [FactsScript.serverToken, FactsScript.joinToken, K3sConfiguration.agentTokenPath]
    let script =
      ShellText.head
      + paths.map { "if [ -f \($0) ]; then echo \"token \($0) $(base64 -w 0 \($0))\"; fi" }.joined(separator: "\n")
      + ShellText.tail
    let result = try await shell.run({ script }, on: first)
    if result.status != 0 { throw NodeFailure(first, "its tokens could not be read: \(SecureShell.reason(result))") }
    var tokens: [String: String] = [:]
    for line in result.output.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 3, words[0] == "token", let data = Data(base64Encoded: words[2]) else { continue }
      tokens[words[1]] = String(decoding: data, as: UTF8.self)
    }
    return tokens
  }

  /// The members know a machine that was built anew by its old key, and it joins through the mesh. The rest of what is new for
  /// them comes in their turn.
  private func introduce(_ node: NodeSpec, _ survey: NodeSurvey) async throws {
    let others = file.controls.filter { $0.name != node.name && survey.facts[$0.name] != nil }
    let results = try await each(others) { other in
      let plan = try plan(other, survey)
      guard let script = NodeScript(plan: plan, id: "", revertAfter: file.access.revertAfter).peers else { return }
      let result = try await shell.run({ script }, on: other)
      if result.status != 0 { throw NodeFailure(other, result) }
    }
    for case .failure(let failure) in results { context.complain(failure.description) }
  }

  /// Private keys of the mesh are made where they stay; only the public ones come back.
  private func makeKeys(_ survey: inout NodeSurvey) async throws {
    let without = file.nodes.filter { survey.facts[$0.name]?.publicKey == nil && survey.facts[$0.name] != nil }
    let path = WireGuardMesh.keyPath
    let script =
      ShellText.head + """
        set -e
        if ! command -v wg >/dev/null; then
        \(ShellText.install(["wireguard-tools"]).joined(separator: "\n"))
        fi
        mkdir -p -m 0700 /etc/wireguard
        if [ ! -f \(path) ]; then
          (umask 077 && wg genkey >\(path).new)
          mv -f \(path).new \(path)
        fi
        echo "key $(wg pubkey <\(path))"
        """ + ShellText.tail
    let results = try await each(without) { node in
      let result = try await shell.run({ script }, on: node, deadline: 300)
      let key = result.output.split(separator: "\n").last.map { String($0.dropFirst(4)) } ?? ""
      guard result.status == 0, FactsFile.isPublicKey(key) else { throw NodeFailure(node, result) }
      return key
    }
    for (node, result) in zip(without, results) {
      switch result {
      case .success(let key): survey.facts[node.name]?.publicKey = key
      case .failure(let failure):
        survey.failures.append(failure)
        survey.facts[node.name] = nil
      }
    }
  }
}
