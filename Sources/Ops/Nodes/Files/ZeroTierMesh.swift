/// ZeroTier: an existing network that the nodes have joined. All that we add is the interface's name, so that firewall and
/// flannel can name it before it exists.
struct ZeroTierMesh {
  let network: NodeNetwork

  init(_ network: NodeNetwork) {
    self.network = network
  }

  var files: [NodeFile] {
    guard let id = network.file.mesh.network else { return [] }
    return [NodeFile("/var/lib/zerotier-one/devicemap", lines: ["\(id)=\(NodeNetwork.zeroTierInterface)"])]
  }
}
