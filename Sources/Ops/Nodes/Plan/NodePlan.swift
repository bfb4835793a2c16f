/// What apply would change on a node. Pure: wanted files and facts in, changes out.
package struct NodePlan: Sendable {
  /// A file that is written.
  struct Write: Sendable {
    var file: NodeFile
    var isNew: Bool
    var isSecret = false
  }

  /// A service that is told, and what it is started with then.
  struct Restart: Hashable, Sendable {
    var service: NodeService
    var digest: String
  }

  package let node: NodeSpec
  private(set) var packages: [String]
  /// Secrets that the node makes itself.
  private(set) var generated: [String] = []
  /// Secrets that are not known yet; they are known when the control plane is there.
  private(set) var awaited: [String] = []
  private(set) var binary: K3sBinary?
  private(set) var writes: [Write] = []
  private(set) var removals: [String] = []
  private(set) var restarts: [Restart] = []
  private(set) var notes: [String] = []
  /// Why nothing may be changed: what is there would keep the cluster from working.
  private(set) var obstacles: [String] = []
  /// k3s restarts for its certificates: they end on all nodes in the same week, and one restarts after another.
  private(set) var isRenewal = false
  /// Files that are left out until a fact is known.
  private(set) var waiting: [String]
  /// Everything that is ours on the node from then on.
  private(set) var owned: [String]

  /// - Parameters:
  ///   - wanted: the k3s binary; `nil`: the one that is there is left alone.
  ///   - now: seconds since 1970.
  ///   - isUpgrade: whether another k3s that is there may be replaced: apply does all nodes at once, upgrade one after another.
  init(
    _ tree: NodeTree, secrets: NodeSecrets, binary wanted: K3sBinary?, packages: [String], facts: NodeFacts,
    isUpgrade: Bool = false, now: Int
  ) {
    node = tree.node
    self.packages = packages.filter { !facts.packages.contains($0) }
    waiting = tree.missing.map(\.description)
    owned = (tree.entries.map(\.file.path) + secrets.files.map(\.path)).sorted()
    var wanted = wanted
    let there = facts.sums["/usr/local/bin/k3s"]
    if let there, wanted != nil, there != wanted?.sha256, !isUpgrade {
      wanted?.sha256 = there
      notes.append(
        "another k3s than the file's is there: bashupload deploy upgrade replaces it, one node after the other")
    }
    if let wanted, there != wanted.sha256 { binary = wanted }
    for entry in tree.entries {
      let file = entry.file
      if facts.sums[file.path] != Self.digest(file.text) || facts.modes[file.path] != file.mode {
        writes.append(Write(file: file, isNew: facts.sums[file.path] == nil))
      }
    }
    readSecrets(secrets, facts)
    // What waits for a fact is not gone.
    let kept = Set(owned + tree.missing.map(\.path))
    removals = facts.owned.filter { !kept.contains($0) }
    let hasK3s = wanted != nil || facts.sums["/usr/local/bin/k3s"] != nil
    for service in NodeService.allCases {
      guard let unit = service.unit(of: node) else { continue }
      let inputs = tree.entries.filter { $0.service == service }
      if inputs.isEmpty { continue }
      if service == .kubernetes, !hasK3s {
        notes.append("no k3s is there and kubernetes.k3s.version is not in the file: k3s is not started")
        continue
      }
      if service == .kubernetes, tree.missing.contains(where: { $0.path == K3sConfiguration.path }) { continue }
      let digest = Self.digest(
        of: inputs, secrets: service == .kubernetes ? secrets : nil, binary: service == .kubernetes ? wanted : nil)
      // What somebody has written into a file since, the service may have read; and one that is gone has to come by the same way.
      let isForeign = inputs.contains { facts.sums[$0.file.path] != Self.digest($0.file.text) }
      let isUnproven = service.isArmed && facts.isPending
      let runs = service.isSystems || (facts.units[unit]?.isActive == true && facts.units[unit]?.isEnabled == true)
      // Their interface goes and comes back, and what flannel has put on it does not: only k3s makes it anew.
      let isCutOff =
        service == .kubernetes && restarts.contains { $0.service == .wireguard || $0.service == .zerotier }
      let isAwaited = service == .kubernetes && (!awaited.isEmpty || endsSoon(facts, now) || isCutOff)
      guard facts.stamps[service.rawValue] != digest || !runs || isForeign || isUnproven || isAwaited else { continue }
      restarts.append(Restart(service: service, digest: digest))
      // An unproven change that is there now is undone first, and what is wanted comes after that.
      for entry in inputs where service.isArmed && NodeScript.isArmed(entry.file.path) {
        if !writes.contains(where: { $0.file.path == entry.file.path }) {
          writes.append(Write(file: entry.file, isNew: false))
        }
      }
    }
    // The watch of the address writes on the node itself what no tree has.
    let hasWatch = tree.entries.contains { $0.file.path == AddressWatch.path }
    for path in facts.settings where !kept.contains(path) && !facts.owned.contains(path) {
      if hasWatch, path == AddressWatch.written { continue }
      notes.append(
        "\(path) is not ours, and k3s reads it after config.yaml: what it says wins; write it into the cluster file instead"
      )
    }
    for address in tree.addresses where !facts.interfaces.isEmpty && facts.interfaces[address] == nil {
      notes.append(
        "\(address) is on no interface of it, and the kubelet wants its node-ip there: where the provider translates "
          + "addresses, write the one that the server sees as privateAddress")
    }
    obstacles = facts.foreignChains.map(\.note)
    notes += obstacles
    for foreign in ["ufw.service", "firewalld.service"] where facts.units[foreign]?.isActive == true {
      notes.append(
        "\(foreign) is active beside our firewall, and k3s advises against it: systemctl disable --now \(foreign)")
    }
  }

  /// Whether a restart is due for the certificates alone.
  private mutating func endsSoon(_ facts: NodeFacts, _ now: Int) -> Bool {
    guard facts.needsRenewal(now), let days = facts.certificateDays(now) else { return false }
    notes.append("its k3s certificates end in \(days) days, and k3s renews them only when it starts")
    isRenewal = true
    return true
  }

  private mutating func readSecrets(_ secrets: NodeSecrets, _ facts: NodeFacts) {
    for file in secrets.files {
      let there = facts.sums[file.path]
      switch file.content {
      case .generated:
        if there == nil { generated.append(file.path) }
      case .text(let text):
        if there != Self.digest(text) || facts.modes[file.path] != 0o600 {
          writes.append(Write(file: NodeFile(file.path, mode: 0o600, text), isNew: there == nil, isSecret: true))
        }
      case .digest(let digest):
        if there != digest { awaited.append(file.path) }
      case .unknown:
        if there == nil { awaited.append(file.path) }
      case .made: awaited.append(file.path)
      }
    }
  }

  /// Nothing is to be done.
  package var isEmpty: Bool {
    packages.isEmpty && generated.isEmpty && awaited.isEmpty && binary == nil && writes.isEmpty && removals.isEmpty
      && restarts.isEmpty && waiting.isEmpty
  }

  var armed: [Restart] { restarts.filter(\.service.isArmed) }

  /// One line for each change.
  package var lines: [String] {
    let name = "node/\(node.name)"
    var lines = packages.isEmpty ? [] : ["+ \(name) packages \(packages.joined(separator: " "))"]
    lines += generated.map { "+ \(name) \($0) (secret, made there)" }
    lines += awaited.map { "~ \(name) \($0) (secret, from the control node)" }
    if let binary { lines.append("~ \(name) /usr/local/bin/k3s (sha256 \(binary.sha256.prefix(12))…)") }
    lines += writes.map { write in
      "\(write.isNew ? "+" : "~") \(name) \(write.file.path)\(write.isSecret ? " (secret, not shown)" : "")"
    }
    lines += removals.map { "- \(name) \($0)" }
    lines += restarts.compactMap { $0.service.unit(of: node) }.map { "! \(name) restarts \($0)" }
    return lines + waiting.map { "? \(name) \($0)" } + notes.map { "note: \(name): \($0)" }
  }

  var json: JSONValue {
    [
      "node": .string(node.name), "changes": .array(lines.filter { !$0.hasPrefix("note: ") }.map { .string($0) }),
      "notes": .array(notes.map { .string($0) }),
    ]
  }

  static func digest(_ text: String) -> String { FileDigest.of(Array(text.utf8)) }

  /// What a service is started with. Secrets that a node has made itself never change and are not part of it.
  private static func digest(of entries: [NodeTree.Entry], secrets: NodeSecrets?, binary: K3sBinary?) -> String {
    var lines = entries.map { "\($0.file.path) \(digest($0.file.text))" }
    for file in secrets?.files ?? [] where file.isStamped {
      switch file.content {
      case .text(let text): lines.append("\(file.path) \(digest(text))")
      case .digest(let digest): lines.append("\(file.path) \(digest)")
      case .generated, .unknown, .made: break
      }
    }
    if let binary { lines.append("k3s \(binary.sha256)") }
    return digest(lines.sorted().joined(separator: "\n"))
  }
}
