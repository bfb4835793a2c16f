/// What nodes, mesh and k3s have to agree on.
extension Contradictions {
  mutating func privateNetwork() {
    guard file.mesh.type == .none, file.nodes.count > 1, Set(file.nodes.map(\.provider)).count == 1 else { return }
    for (index, node) in file.nodes.enumerated() where node.privateAddress == nil {
      add(
        "nodes[\(index)]",
        "needs privateAddress: mesh none is not encrypted, and pods would talk over the public network",
        between: ["nodes[\(index)].privateAddress", "mesh.type"])
    }
  }

  /// Addresses that follow from names can meet; the file then has to say one.
  mutating func meshAddresses() {
    guard file.mesh.type == .wireguard else { return }
    let network = NodeNetwork(file)
    var owners: [IPAddress: String] = [:]
    for (index, node) in file.nodes.enumerated() {
      guard let address = network.meshAddress(node) else { continue }
      if let other = owners[address], other != node.name {
        add(
          "nodes[\(index)]", "would have the mesh address \(address) of \(other): write meshAddress",
          between: ["nodes[\(index)].meshAddress", "mesh.type"])
      }
      owners[address] = node.name
    }
  }

  mutating func k3s() {
    if let version = file.kubernetes.version, let parsed = K3sVersion(version), parsed < K3sVersion.oldest {
      add(
        "kubernetes.k3s.version",
        "\(version) does not read the kubelet's drop-in: write \(K3sVersion.oldest) or newer")
    }
    if file.features.enabled.contains(.keepalived), let address = file.features.virtualAddress {
      for (index, node) in file.nodes.enumerated() where node.privateAddress == address || node.address == address {
        add(
          "features.keepalived.virtualAddress", "\(address) is an address of \(node.name): write one that nobody has",
          between: ["nodes[\(index)].address", "nodes[\(index)].privateAddress"])
      }
    }
  }
}
