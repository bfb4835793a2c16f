/// How the nodes of a cluster file reach one another: addresses, interfaces, who joins whom.
package struct NodeNetwork: Sendable {
  /// Interface of the mesh that we make ourselves.
  package static let wireguardInterface = "wg-bashupload"
  /// Interface of ZeroTier, by its devicemap: so that its name is known before it exists.
  package static let zeroTierInterface = "ztbashupload"
  /// Of WireGuard, ours or flannel's; IPv6 of flannel is one more.
  static let wireguardPort = 51_820

  /// Of mesh addresses that follow from names.
  static let derivedNetwork = IPNetwork(address: .v4([10, 98, 0, 0]), length: 16)
  /// What k3s takes when nothing is said.
  static let standardPodNetwork = IPNetwork(address: .v4([10, 42, 0, 0]), length: 16)
  static let standardServiceNetwork = IPNetwork(address: .v4([10, 43, 0, 0]), length: 16)
  /// Of pods and Services in IPv6.
  static let podNetwork6 = IPNetwork(
    address: .v6([0xFD, 0x42, 0x62, 0x61, 0x73, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), length: 56)
  static let serviceNetwork6 = IPNetwork(
    address: .v6([0xFD, 0x43, 0x62, 0x61, 0x73, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), length: 112)

  let file: ClusterFile

  package init(_ file: ClusterFile) {
    self.file = file
  }

  /// Pods get IPv6 when every node has it: Kubernetes wants all of them alike.
  package var isDualStack: Bool {
    file.mesh.type == .wireguardNative && file.nodes.allSatisfy { $0.address6 != nil }
  }

  /// The control node that begins the cluster; the others join it.
  var first: NodeSpec? { file.controls.first }

  /// The address inside of the mesh; `nil`: the mesh is below the nodes.
  package func meshAddress(_ node: NodeSpec) -> IPAddress? {
    switch file.mesh.type {
    case .zerotier: node.meshAddress
    case .wireguard: node.meshAddress ?? Self.derived(node.name)
    case .wireguardNative, .none: nil
    }
  }

  /// A mesh address out of the name, so that it does not change when other nodes come and go; 10.98.0.1 to 10.98.255.254.
  static func derived(_ name: String) -> IPAddress {
    let hash = stableHash(name)
    return .v4([10, 98, UInt8(hash >> 8 & 0xFF), UInt8(1 + (hash & 0xFF) % 254)])
  }

  /// FNV-1a: the same on every machine and in every version, unlike `Hasher`.
  static func stableHash(_ text: String) -> UInt32 {
    text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }

  /// What Kubernetes calls InternalIP; empty: what k3s finds on the interface of the default route.
  func nodeAddresses(_ node: NodeSpec) -> [IPAddress] {
    if let mesh = meshAddress(node) { return [mesh] }
    if isDualStack, let address6 = node.address6 { return [node.privateAddress ?? node.address, address6] }
    return node.privateAddress.map { [$0] } ?? []
  }

  /// What Kubernetes calls ExternalIP.
  func externalAddresses(_ node: NodeSpec) -> [IPAddress] {
    // A changed one k3s has from the node itself, see `AddressWatch`.
    [node.listedAddress ?? node.address] + (isDualStack ? node.address6.map { [$0] } ?? [] : [])
  }

  /// Whether two nodes have a private network in common.
  func areNeighbours(_ one: NodeSpec, _ other: NodeSpec) -> Bool {
    one.privateAddress != nil && other.privateAddress != nil && one.provider == other.provider
      && one.region == other.region
  }

  /// By which address `node` reaches `other`, outside of the mesh.
  func endpoint(from node: NodeSpec, to other: NodeSpec) -> IPAddress {
    areNeighbours(node, other) ? other.privateAddress ?? other.address : other.address
  }

  /// Where a node joins; `nil`: it is the one that begins.
  func server(for node: NodeSpec) -> IPAddress? {
    guard let first, first.name != node.name else { return nil }
    if node.role == .edge, areNeighbours(node, first), let virtual = virtualAddress { return virtual }
    return meshAddress(first) ?? endpoint(from: node, to: first)
  }

  var virtualAddress: IPAddress? {
    file.features.enabled.contains(.keepalived) ? file.features.virtualAddress : nil
  }

  /// Every address by which another node may come: the sets of the firewall.
  func sources(_ nodes: [NodeSpec]) -> [IPAddress] {
    nodes.flatMap { [$0.address, $0.address6, $0.privateAddress].compactMap { $0 } }
  }

  /// Interfaces over which pods come: ours by definition, whatever the uplink is called.
  var podInterfaces: [String] {
    switch file.mesh.type {
    case .wireguardNative: ["cni0", "flannel-wg"] + (isDualStack ? ["flannel-wg-v6"] : [])
    case .wireguard, .zerotier, .none: ["cni0", "flannel.1"]
    }
  }
}

extension IPAddress {
  /// As it stands in a URL or before a port.
  var inURL: String { bits == 128 ? "[\(self)]" : description }

  var isV6: Bool { bits == 128 }
}
