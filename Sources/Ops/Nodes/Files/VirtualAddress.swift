/// keepalived: one address for several control nodes of one network segment. Unicast, because providers drop multicast; no
/// password, because VRRP's is sent in clear text: the firewall admits the other control nodes only.
struct VirtualAddress {
  static let path = "/etc/keepalived/keepalived.conf"

  let node: NodeSpec
  let network: NodeNetwork

  init(_ node: NodeSpec, _ network: NodeNetwork) {
    self.node = node
    self.network = network
  }

  func file(_ facts: KnownFacts) throws(MissingFact) -> NodeFile {
    guard let interface = facts.nodes[node.name]?.interface else {
      throw MissingFact(path: Self.path, what: "interface of \(node.name)")
    }
    let controls = network.file.controls
    let place = controls.firstIndex { $0.name == node.name } ?? 0
    let own = node.privateAddress ?? node.address
    let virtual = network.virtualAddress ?? own
    var lines = [
      NodeFile.header("The address \(virtual) of the control nodes"),
      "global_defs {",
      "  router_id \(node.name)",
      "  vrrp_version 3",
      "  script_user root",
      "  enable_script_security",
      "}",
      "",
      "# A node whose API server does not listen does not keep the address.",
      "vrrp_script apiserver {",
      "  script \"/usr/bin/timeout 2 /bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/6443'\"",
      "  interval 1",
      "  fall 2",
      "  rise 2",
      "}",
      "",
      "vrrp_instance bashupload {",
      "  # Whoever has it keeps it: a node that comes back does not move it once more.",
      "  state BACKUP",
      "  nopreempt",
      "  interface \(interface)",
      "  virtual_router_id \(1 + NodeNetwork.stableHash(network.file.cluster) % 255)",
      "  priority \(150 - 10 * place)",
      "  advert_int 0.5",
      "  unicast_src_ip \(own)",
      "  unicast_peer {",
    ]
    lines += controls.filter { $0.name != node.name }.map { "    \($0.privateAddress ?? $0.address)" }
    lines += [
      "  }",
      "  virtual_ipaddress {",
      "    \(virtual)/\(virtual.bits) dev \(interface)",
      "  }",
      "  track_script {",
      "    apiserver",
      "  }",
      "}",
    ]
    return NodeFile(Self.path, lines: lines)
  }
}
