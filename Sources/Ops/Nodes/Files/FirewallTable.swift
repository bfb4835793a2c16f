/// The nftables table of a node.
///
/// A table of our own, declared, deleted and declared again: loading it twice is loading it once, and the chains of k3s
/// stay. INPUT drops by default. A hostPort never passes INPUT, its packets are translated and forwarded, so a second chain
/// guards FORWARD. Interfaces named here are those of the cluster itself; what the uplink is called is only known on the
/// node, and everything that is not ours is outside.
struct FirewallTable {
  static let path = "/etc/bashupload/firewall.nft"
  static let table = "bashupload"

  let node: NodeSpec
  let network: NodeNetwork

  init(_ node: NodeSpec, _ network: NodeNetwork) {
    self.node = node
    self.network = network
  }

  private var cluster: ClusterFile { network.file }
  private var isControl: Bool { node.role != .edge }
  /// Addresses that change cannot be in a set.
  private var isOpenToStrangers: Bool { cluster.features.enabled.contains(.dynamicAddress) }

  var file: NodeFile {
    NodeFile(Self.path, lines: head + sets + ssh + (isControl ? api : []) + input + forward + ["}"])
  }

  private var head: [String] {
    [
      "#!/usr/sbin/nft -f",
      NodeFile.header("The firewall of \(node.name)"),
      "# Never \"flush ruleset\": that would take the chains of k3s with it.",
      "table inet \(Self.table)",
      "delete table inet \(Self.table)",
      "table inet \(Self.table) {",
    ]
  }

  // MARK: sets

  private var sets: [String] {
    var lines = set("nodes", network.sources(cluster.nodes).map(\.description), "The nodes of the cluster.")
    lines += set("admins", cluster.access.adminCIDRs, "Whose ssh is not counted, and who may use the Kubernetes API.")
    if let jump = node.jumpHost.flatMap({ IPAddress($0.address) }) {
      lines += set("jump", [jump.description], "The host that ssh comes through.")
    }
    if isControl, cluster.controls.count > 1 {
      lines += set("controls", network.sources(cluster.controls).map(\.description), "The control nodes: etcd.")
    }
    if cluster.mesh.type == .zerotier {
      let members = cluster.nodes.compactMap { network.meshAddress($0)?.description }
      lines += set("members", members, "The nodes in the ZeroTier network, which others may have joined as well.")
    }
    for (family, type) in [("4", "ipv4_addr"), ("6", "ipv6_addr")] {
      lines += dynamicSet("ssh\(family)", type)
      if isControl, isOpenToStrangers { lines += dynamicSet("api\(family)", type) }
    }
    return lines
  }

  private func dynamicSet(_ name: String, _ type: String) -> [String] {
    ["  set \(name) { type \(type); size 65535; flags dynamic, timeout; timeout 2m; }"]
  }

  /// Two sets, one for each family; empty ones are sets as well.
  private func set(_ name: String, _ elements: [String], _ comment: String) -> [String] {
    var lines = ["  # \(comment)"]
    for (family, type, isV6) in [("4", "ipv4_addr", false), ("6", "ipv6_addr", true)] {
      let members = elements.filter { $0.contains(":") == isV6 }
      let list = members.isEmpty ? "" : " elements = { \(members.joined(separator: ", ")) };"
      lines.append("  set \(name)\(family) { type \(type); flags interval; auto-merge;\(list) }")
    }
    return lines
  }

  // MARK: chains

  private var ssh: [String] {
    var lines = [
      "",
      "  # A limit for each source (each /64 in IPv6): a flood from one does not lock out another.",
      "  chain ssh {",
      "    ip saddr @admins4 accept",
      "    ip6 saddr @admins6 accept",
    ]
    if let jump = node.jumpHost, IPAddress(jump.address) != nil {
      lines += ["    ip saddr @jump4 accept", "    ip6 saddr @jump6 accept", "    drop", "  }"]
      return lines
    }
    return lines + limited("ssh", "10/minute burst 20 packets") + ["    accept", "  }"]
  }

  private func limited(_ set: String, _ rate: String) -> [String] {
    [
      "    add @\(set)4 { ip saddr limit rate over \(rate) } drop",
      "    add @\(set)6 { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over \(rate) } drop",
    ]
  }

  private var api: [String] {
    var lines = ["", "  chain api {"]
    for source in ["nodes", "admins"] {
      lines += ["    ip saddr @\(source)4 accept", "    ip6 saddr @\(source)6 accept"]
    }
    if isOpenToStrangers {
      lines.append("    # The addresses of nodes change: they come as strangers, and have to have a token.")
      lines += limited("api", "30/minute burst 60 packets")
    }
    return lines + ["    \(isOpenToStrangers ? "accept" : "drop")", "  }"]
  }

  private var interfaces: String { network.podInterfaces.map { "\"\($0)\"" }.joined(separator: ", ") }

  private var input: [String] {
    var lines = [
      "",
      "  chain input {",
      "    type filter hook input priority filter - 10; policy drop;",
      "    iif lo accept",
      "    ct state established,related accept",
      "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-router-solicit, "
        + "mld-listener-query } accept",
      "    ct state invalid drop",
      "    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept",
      "    icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
      "    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
      "    tcp dport \(node.ssh.port) jump ssh",
      "    iifname { \(interfaces) } accept",
    ]
    lines += mesh
    if isControl { lines.append("    tcp dport 6443 jump api") }
    lines += fromNodes("tcp dport 10250")
    if isControl, cluster.controls.count > 1 {
      lines += [
        "    ip saddr @controls4 tcp dport 2379-2380 accept", "    ip6 saddr @controls6 tcp dport 2379-2380 accept",
      ]
    }
    if isControl, network.virtualAddress != nil {
      lines += ["    ip saddr @controls4 ip protocol 112 accept", "    ip6 saddr @controls6 ip6 nexthdr 112 accept"]
    }
    return lines + [
      "    # While no pod is there (a rollout, a crash, a missing image) nothing translates these ports: clients hear at once that",
      "    # they have to try another address, instead of waiting for minutes.",
      "    tcp dport { 80, 443 } reject with tcp reset", "  }",
    ]
  }

  private var mesh: [String] {
    let port = NodeNetwork.wireguardPort
    switch cluster.mesh.type {
    case .wireguardNative:
      let ports = network.isDualStack ? "\(port)-\(port + 1)" : "\(port)"
      // WireGuard does not answer whoever has no key.
      return isOpenToStrangers ? ["    udp dport \(ports) accept"] : fromNodes("udp dport \(ports)")
    case .wireguard:
      return (isOpenToStrangers ? ["    udp dport \(port) accept"] : fromNodes("udp dport \(port)")) + [
        "    iifname \"\(NodeNetwork.wireguardInterface)\" accept"
      ]
    case .zerotier:
      return [
        "    udp dport 9993 accept",
        "    iifname \"\(NodeNetwork.zeroTierInterface)\" ip saddr @members4 accept",
        "    iifname \"\(NodeNetwork.zeroTierInterface)\" ip6 saddr @members6 accept",
      ]
    case .none:
      return cluster.nodes.count == 1 ? [] : fromNodes("udp dport 8472")
    }
  }

  private func fromNodes(_ rule: String) -> [String] {
    ["    ip saddr @nodes4 \(rule) accept", "    ip6 saddr @nodes6 \(rule) accept"]
  }

  private var forward: [String] {
    var lines = [
      "",
      "  # Credentials of the machine are not for pods.",
      "  chain pods {",
      "    ip daddr 169.254.169.254 tcp dport 80 drop",
      "    ip6 daddr fd00:ec2::254 tcp dport 80 drop",
      "    accept",
      "  }",
      "",
      "  # Comes from outside and goes to a pod: only what a hostPort 80 or 443 has translated. NodePorts, a hostPort that",
      "  # somebody else opened, and packets to a pod's own address end here.",
      "  chain forward {",
      "    type filter hook forward priority filter - 10; policy accept;",
      "    ct state established,related accept",
      "    iifname { \(interfaces) } goto pods",
    ]
    if node.role != .control {
      lines += [
        "    ct status dnat meta l4proto tcp ct original proto-dst 80 accept",
        "    ct status dnat meta l4proto tcp ct original proto-dst 443 accept",
      ]
    }
    return lines + ["    drop", "  }"]
  }
}
