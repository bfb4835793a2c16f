/// A network, as its first address and the length of its prefix.
package struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
  package var address: IPAddress
  package var length: Int

  package init(address: IPAddress, length: Int) {
    self.address = address.network(length)
    self.length = length
  }

  /// `nil` for anything that is not an address, a slash and a length.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
      (0...address.bits).contains(length)
    else { return nil }
    self.init(address: address, length: length)
  }

  /// Whether the address is in it.
  package func contains(_ other: IPAddress) -> Bool {
    other.bits == address.bits && other.network(length) == address
  }

  /// Whether the two have an address in common.
  package func overlaps(_ other: IPNetwork) -> Bool {
    length <= other.length ? contains(other.address) : other.contains(address)
  }

  package var description: String { "\(address)/\(length)" }
}

extension IPAddress {
  /// The address as a network of its own.
  package var alone: IPNetwork { IPNetwork(address: self, length: bits) }

  /// What kind of address no server can have: the word for it.
  package var impossibility: String? {
    Self.impossible.first { $0.network.contains(self) }?.word
  }

  /// Only reached inside of a provider, a building or an operator's network.
  package var isPrivate: Bool { Self.inner.contains { $0.contains(self) } }

  private static let impossible: [(network: IPNetwork, word: String)] = [
    ("0.0.0.0/8", "no address of a server"), ("127.0.0.0/8", "the loopback"), ("169.254.0.0/16", "link-local"),
    ("224.0.0.0/4", "multicast"), ("240.0.0.0/4", "reserved"), ("::/127", "the loopback"), ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"), ("::ffff:0.0.0.0/96", "IPv4 written as IPv6"),
  ].compactMap { text, word in IPNetwork(text).map { ($0, word) } }

  private static let inner = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"].compactMap {
    IPNetwork($0)
  }
}
