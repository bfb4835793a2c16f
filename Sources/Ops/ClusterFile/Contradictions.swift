import UploadCore

/// Values that are right each for itself and wrong together.
struct Contradictions {
  /// One of them, and the keys that it is between: when one of these is wrong itself, it is not told.
  struct Contradiction {
    var problem: Problem
    var between: [String]
  }

  let file: ClusterFile
  let settings: Settings
  private(set) var found: [Contradiction] = []

  init(_ file: ClusterFile, _ settings: Settings) {
    self.file = file
    self.settings = settings
  }

  mutating func find() {
    policy()
    certificates()
    nodes()
    controlPlane()
    mesh()
    privateNetwork()
    meshAddresses()
    networks()
    reachability()
    k3s()
    dns()
    features()
  }

  mutating func add(_ path: String, _ message: String, between others: [String] = []) {
    let place = settings.positions[path] ?? settings.positions[String(path.prefix { $0 != "." && $0 != "[" })]
    found.append(
      Contradiction(
        problem: Problem(place ?? Position(line: 1, column: 1), path, message), between: [path] + others))
  }

  private mutating func policy() {
    if settings.flag("policy.shortURL.enabled"), !settings.has("policy.shortURL.service") {
      add(
        "policy.shortURL", "is enabled without a service: write service: https://…",
        between: ["policy.shortURL.service"])
    }
    if file.ingress.tls == .direct, !file.ingress.staticFiles.isEmpty {
      add(
        "ingress.staticFiles", "are answered by nginx, and ingress.tls is direct: leave them out, or write tls: nginx",
        between: ["ingress.tls"])
    }
    if file.ingress.staticFilesSize > Ingress.staticFilesLimit {
      add(
        "ingress.staticFiles",
        "have \(file.ingress.staticFilesSize) bytes in all; the limit is \(Ingress.staticFilesLimit): shorten them, or upload them"
      )
    }
    if file.ingress.tls == .direct, NodeNetwork(file).isDualStack, !file.nodes.isEmpty {
      add(
        "ingress.tls",
        "direct listens on IPv4 only, and every node has an address6: write nginx, or leave address6 out",
        between: file.nodes.indices.map { "nodes[\($0)].address6" } + ["mesh.type"])
    }
    if file.policy.maxUploadSize.bytes > 5 << 40 {
      add("policy.maxUploadSize", "is more than an object of R2 can hold: at most 5TiB")
    }
  }

  private mutating func certificates() {
    if case .secret = file.certificates.issuer {
      for key in ["email", "dns01"] where settings.has("certificates.\(key)") {
        add(
          "certificates.\(key)", "has no use with a Secret of your own: leave it out", between: ["certificates.issuer"])
      }
      return
    }
    if !settings.has("certificates.email") {
      add(
        "certificates", "needs email: the issuer wants an address",
        between: ["certificates.email", "certificates.issuer"])
    }
    if !settings.has("certificates.dns01") {
      add(
        "certificates", "needs dns01: a wildcard is proven by DNS only",
        between: ["certificates.dns01", "certificates.issuer"])
    }
    if case .server = file.certificates.issuer, settings.texts["certificates.profile"] != nil {
      add(
        "certificates.profile", "is a matter of Let's Encrypt: leave it out with another server",
        between: ["certificates.issuer"])
    }
  }

  private mutating func nodes() {
    if settings.counts["nodes"] != nil {
      if file.nodes.isEmpty { add("nodes", "is empty: one node with role all is enough to begin") }
      let roles = file.nodes.indices.map { "nodes[\($0)].role" }
      if !file.nodes.isEmpty, file.controls.isEmpty {
        add("nodes", "has no control node: give one the role control or all", between: roles)
      }
      if !file.nodes.isEmpty, file.edges.isEmpty {
        add("nodes", "has no edge node: give one the role edge or all", between: roles)
      }
    }
    var names: [String: Int] = [:]
    var addresses: [IPAddress: String] = [:]
    for (index, node) in file.nodes.enumerated() {
      if let first = names[node.name], !node.name.isEmpty {
        add("nodes[\(index)].name", "\(node.name) is the name of nodes[\(first)] as well: names differ")
      }
      names[node.name] = names[node.name] ?? index
      for (key, address) in [
        ("address", node.address), ("address6", node.address6), ("privateAddress", node.privateAddress),
        ("meshAddress", node.meshAddress),
      ] {
        guard let address, settings.texts["nodes[\(index)].\(key)"] != nil else { continue }
        if let other = addresses[address] {
          add("nodes[\(index)].\(key)", "\(address) is \(other) as well: addresses differ")
        }
        addresses[address] = addresses[address] ?? "nodes[\(index)].\(key)"
      }
    }
  }

  private mutating func controlPlane() {
    let controls = file.nodes.indices.filter { file.nodes[$0].role != .edge }
    guard controls.count > 1 else { return }
    let roles = controls.map { "nodes[\($0)].role" }
    if controls.count.isMultiple(of: 2) {
      add(
        "nodes",
        "has \(controls.count) control nodes: an even number survives no more failures than one less; write 1 or 3",
        between: roles)
    }
    if file.kubernetes.datastore == .sqlite {
      add("kubernetes.datastore", "sqlite has one control node only: write etcd, or one control node", between: roles)
    }
    let first = controls[0]
    for index in controls.dropFirst() {
      for (key, here, there) in [
        ("provider", file.nodes[index].provider, file.nodes[first].provider),
        ("region", file.nodes[index].region, file.nodes[first].region),
      ] where here != there {
        add(
          "nodes[\(index)].\(key)",
          "\(here) differs from \(there): control nodes are in one place, because etcd stalls over slow and lossy ways",
          between: ["nodes[\(first)].\(key)"] + roles)
      }
    }
    for index in controls where file.nodes[index].privateAddress == nil {
      add(
        "nodes[\(index)]", "needs privateAddress: several control nodes talk over the provider's private network",
        between: ["nodes[\(index)].privateAddress"] + roles)
    }
  }

  private mutating func mesh() {
    switch file.mesh.type {
    case .zerotier:
      if file.mesh.network == nil {
        add("mesh", "zerotier needs network: 16 hex digits", between: ["mesh.network", "mesh.type"])
      }
      for (index, node) in file.nodes.enumerated() where node.meshAddress == nil {
        add(
          "nodes[\(index)]", "needs meshAddress: its address in the ZeroTier network",
          between: ["nodes[\(index)].meshAddress", "mesh.type"])
      }
    case .wireguardNative, .wireguard, .none:
      if file.mesh.network != nil {
        add("mesh.network", "belongs to zerotier, and type is \(file.mesh.type.rawValue)", between: ["mesh.type"])
      }
    }
    let providers = Set(file.nodes.map(\.provider)).sorted()
    if file.mesh.type == .none, providers.count > 1 {
      add(
        "mesh.type", "none needs one provider's private network, and there are \(providers.joined(separator: ", "))",
        between: file.nodes.indices.map { "nodes[\($0)].provider" })
    }
  }

  private mutating func dns() {
    guard let dns = file.dns else { return }
    if dns.minRecords > file.edges.count, !file.edges.isEmpty {
      add(
        "dns.minRecords", "\(dns.minRecords) is more than there are edges: at most \(file.edges.count)",
        between: ["nodes"])
    }
    if case .rfc2136(_, let zone, _, _, _) = dns.provider, file.domain != zone, !file.domain.hasSuffix(".\(zone)") {
      add("dns.provider.rfc2136.zone", "\(zone) does not hold \(file.domain)", between: ["domain"])
    }
  }

  private mutating func features() {
    if file.features.enabled.contains(.logs), file.features.loki == nil {
      add(
        "features.logs", "is enabled without a place: write loki: { url: https://… }", between: ["features.logs.loki"])
    }
    if file.features.enabled.contains(.tunnel), file.features.tunnelToken == nil {
      add(
        "features.tunnel", "is enabled without a token: write token: { fromEnv: … }", between: ["features.tunnel.token"]
      )
    }
    if file.features.enabled.contains(.keepalived), file.features.virtualAddress == nil {
      add(
        "features.keepalived", "is enabled without an address: write virtualAddress: 10.0.0.100",
        between: ["features.keepalived.virtualAddress"])
    }
    if file.features.enabled.contains(.dynamicAddress), NodeNetwork(file).isDualStack {
      add(
        "features.dynamicAddress",
        "follows IPv4 only, and every node has address6, so k3s would lose it: leave the feature out, or address6 of one node",
        between: ["mesh.type"] + file.nodes.indices.map { "nodes[\($0)].address6" })
    }
    if let loki = file.features.loki, (loki.username == nil) != (loki.password == nil) {
      add("features.logs.loki", "has only one of username and password: write both or none")
    }
  }
}
