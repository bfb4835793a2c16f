/// ZeroTier: an existing network. What we add is the interface's name, so that firewall and flannel can name it before it
/// exists. The nodes join when their zerotier-one starts; whoever has the network admits them.
struct ZeroTierMesh {
  static let deviceMap = "/var/lib/zerotier-one/devicemap"

  /// Before it starts: an empty file is a wish to join, which ZeroTier fills, so it is no file of ours.
  static let join = [
    "network=$(cut -d= -f1 \(deviceMap))",
    "mkdir -p /var/lib/zerotier-one/networks.d",
    "if [ ! -e \"/var/lib/zerotier-one/networks.d/$network.conf\" ]; then",
    "  : >\"/var/lib/zerotier-one/networks.d/$network.conf\"",
    "fi",
  ]

  let network: NodeNetwork

  init(_ network: NodeNetwork) {
    self.network = network
  }

  var files: [NodeFile] {
    guard let id = network.file.mesh.network else { return [] }
    return [NodeFile(Self.deviceMap, lines: ["\(id)=\(NodeNetwork.zeroTierInterface)"])]
  }
}
