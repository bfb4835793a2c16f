/// A full mesh of our own by wg-quick: for what k3s' mesh does not carry (host to host). Private keys are made on the node,
/// stay there, and are loaded by `wg set`, so that this file holds nothing secret.
struct WireGuardMesh {
  static let path = "/etc/wireguard/\(NodeNetwork.wireguardInterface).conf"
  static let keyPath = "/etc/wireguard/\(NodeNetwork.wireguardInterface).key"

  let node: NodeSpec
  let network: NodeNetwork

  init(_ node: NodeSpec, _ network: NodeNetwork) {
    self.node = node
    self.network = network
  }

  func file(_ facts: KnownFacts) throws(MissingFact) -> NodeFile {
    guard let address = network.meshAddress(node) else {
      throw MissingFact(path: Self.path, what: "an address in the mesh")
    }
    let peers = network.file.nodes.filter { peer in
      peer.name != node.name && (facts.nodes[peer.name]?.publicKey != nil || !facts.absent.contains(peer.name))
    }
    let unknown = peers.filter { facts.nodes[$0.name]?.publicKey == nil }.map(\.name)
    if !unknown.isEmpty {
      throw MissingFact(path: Self.path, what: "publicKey of \(unknown.joined(separator: ", "))")
    }
    var lines = [
      NodeFile.header("The mesh, seen from \(node.name)")
    ]
    // wg-quick loads the key when it starts: with it in here a new key is a change, and a start.
    if let own = facts.nodes[node.name]?.publicKey { lines.append("# public key: \(own)") }
    lines += [
      "[Interface]",
      "Address = \(address)/\(address.bits)",
      "ListenPort = \(NodeNetwork.wireguardPort)",
      "# 1500 less 80: IPv6, UDP and WireGuard around a packet.",
      "MTU = 1420",
      "PostUp = wg set %i private-key \(Self.keyPath)",
    ]
    for peer in peers {
      guard let key = facts.nodes[peer.name]?.publicKey, let inside = network.meshAddress(peer) else { continue }
      lines += [
        "", "# \(peer.name)", "[Peer]", "PublicKey = \(key)",
        "Endpoint = \(network.endpoint(from: node, to: peer).inURL):\(NodeNetwork.wireguardPort)",
        "AllowedIPs = \(inside)/\(inside.bits)",
        "PersistentKeepalive = 25",
      ]
    }
    return NodeFile(Self.path, mode: 0o600, lines: lines)
  }
}
