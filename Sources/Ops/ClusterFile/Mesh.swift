/// The network between the nodes.
package struct Mesh: Hashable, Sendable {
  /// Who makes the tunnels.
  package enum Kind: String, Sendable { case wireguardNative, wireguard, zerotier, none }

  package var type: Kind
  /// Of ZeroTier.
  package var network: String?
}
