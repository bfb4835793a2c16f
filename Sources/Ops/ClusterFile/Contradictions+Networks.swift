/// Addresses against the networks that k3s and we bring: a server with an address in one of them cannot be reached as soon as
/// k3s runs, and nobody can fix it over ssh.
extension Contradictions {
  /// A network that the cluster makes, and how to have another one.
  private struct Own {
    var network: IPNetwork
    var noun: String
    var cure: String
    var key: String
  }

  private var own: [Own] {
    let network = NodeNetwork(file)
    var own = [
      Own(
        network: file.kubernetes.podNetwork, noun: "of the pods", cure: "write kubernetes.network.pods: another one",
        key: "kubernetes.network.pods"),
      Own(
        network: file.kubernetes.serviceNetwork, noun: "of the Services",
        cure: "write kubernetes.network.services: another one", key: "kubernetes.network.services"),
    ]
    if network.isDualStack {
      own += [
        Own(
          network: NodeNetwork.podNetwork6, noun: "of the pods in IPv6", cure: "use another address",
          key: "mesh.type"),
        Own(
          network: NodeNetwork.serviceNetwork6, noun: "of the Services in IPv6", cure: "use another address",
          key: "mesh.type"),
      ]
    }
    if file.mesh.type == .wireguard, file.nodes.contains(where: { $0.meshAddress == nil }) {
      own.append(
        Own(
          network: NodeNetwork.derivedNetwork, noun: "of our WireGuard mesh", cure: "write meshAddress for every node",
          key: "mesh.type"))
    }
    return own
  }

  mutating func networks() {
    let own = own
    let (pods, services) = (file.kubernetes.podNetwork, file.kubernetes.serviceNetwork)
    if pods.overlaps(services) {
      add(
        "kubernetes.network", "pods \(pods) and services \(services) overlap: they have no address in common",
        between: ["kubernetes.network.pods", "kubernetes.network.services"])
    }
    // Every node takes a /24 of the pods'.
    if pods.length <= 24, file.nodes.count > 1 << min(24 - pods.length, 30) {
      add(
        "kubernetes.network.pods",
        "\(pods) has a /24 for \(1 << (24 - pods.length)) nodes, and there are "
          + "\(file.nodes.count): write a larger one")
    }
    if let mesh = own.first(where: { $0.network == NodeNetwork.derivedNetwork }) {
      for other in own where other.network != mesh.network && other.network.overlaps(mesh.network) {
        add(other.key, "\(other.network) is in \(mesh.network) \(mesh.noun): \(mesh.cure)", between: [mesh.key])
      }
    }
    for (path, address) in addresses {
      if let word = address.impossibility {
        add(path, "\(address) is \(word): write an address by which others reach it")
      }
      // Addresses of the mesh are in its network.
      let others = path.hasSuffix(".meshAddress") ? own.filter { $0.network != NodeNetwork.derivedNetwork } : own
      collide(path, address.alone, "\(address)", with: others)
    }
    for (index, text) in file.access.adminCIDRs.enumerated() {
      // A larger one, such as 10.0.0.0/8, holds others than ours as well.
      if let network = IPNetwork(text) { collide("access.adminCIDRs[\(index)]", network, text, with: own) }
    }
  }

  private mutating func collide(_ path: String, _ network: IPNetwork, _ text: String, with own: [Own]) {
    guard let owner = own.first(where: { $0.network.length <= network.length && $0.network.contains(network.address) })
    else { return }
    add(
      path, "\(text) is in the network \(owner.network) \(owner.noun), and nobody would reach it: \(owner.cure)",
      between: [owner.key, "mesh.type"])
  }

  /// Every address that the file has, with its key.
  private var addresses: [(path: String, address: IPAddress)] {
    var found: [(path: String, address: IPAddress)] = []
    for (index, node) in file.nodes.enumerated() {
      for (key, address) in [
        ("address", node.address), ("address6", node.address6), ("privateAddress", node.privateAddress),
        ("meshAddress", node.meshAddress), ("ssh.jumpHost.address", node.jumpHost.flatMap { IPAddress($0.address) }),
      ] {
        let path = "nodes[\(index)].\(key)"
        if let address, settings.texts[path] != nil { found.append((path, address)) }
      }
    }
    if let address = file.features.virtualAddress { found.append(("features.keepalived.virtualAddress", address)) }
    for path in ["access.jumpHost.address", "dns.provider.rfc2136.server"] {
      if let address = settings.texts[path].flatMap({ IPAddress($0) }) { found.append((path, address)) }
    }
    return found
  }

  /// Nodes dial one another by `address`, unless they are neighbours in one place or ZeroTier finds a way.
  mutating func reachability() {
    guard file.mesh.type != .zerotier else { return }
    for (index, node) in file.nodes.enumerated() {
      for (key, address) in [("address", Optional(node.address)), ("address6", node.address6)] {
        guard let address, address.isPrivate, settings.texts["nodes[\(index)].\(key)"] != nil,
          let other = file.nodes.first(where: { $0.provider != node.provider || $0.region != node.region })
        else { continue }
        add(
          "nodes[\(index)].\(key)",
          "\(address) is private, and \(other.name) at \(other.provider) \(other.region) cannot reach it: write the public "
            + "address, and this one as privateAddress; or mesh.type zerotier",
          between: ["mesh.type", "nodes[\(index)].provider", "nodes[\(index)].region"])
      }
    }
  }
}
