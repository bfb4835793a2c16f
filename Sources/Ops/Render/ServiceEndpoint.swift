/// Another service that pods of ours call: host and port of its URL.
struct ServiceEndpoint: Hashable, Sendable {
  /// A literal address, or nothing for a host name: a policy knows addresses only.
  var address: IPAddress?
  var port: Int

  /// `nil`: no URL of a host.
  init?(url: String) {
    guard let separator = url.firstRange(of: "://") else { return nil }
    let isPlain = url[..<separator.lowerBound].lowercased() == "http"
    let authority = url[separator.upperBound...].prefix { !"/?#".contains($0) }
    var host = authority.split(separator: "@").last ?? ""
    port = isPlain ? 80 : 443
    // The colons of IPv6 are within its brackets.
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
      guard let number = Int(host[host.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
      port = number
      host = host[..<colon]
    }
    if host.isEmpty { return nil }
    address = IPAddress(String(host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host))
  }

  /// Networks that are nobody's on the internet, as the policy of the base leaves them out.
  private static let privateNetworks: [(IPAddress, Int)] = [
    (.v4([10, 0, 0, 0]), 8), (.v4([100, 64, 0, 0]), 10), (.v4([169, 254, 0, 0]), 16), (.v4([172, 16, 0, 0]), 12),
    (.v4([192, 168, 0, 0]), 16), (.v6([0xFC] + [UInt8](repeating: 0, count: 15)), 7),
    (.v6([0xFE, 0x80] + [UInt8](repeating: 0, count: 14)), 10),
  ]

  var isPrivate: Bool {
    guard let address else { return false }
    return Self.privateNetworks.contains { $0.bits == address.bits && address.network($1) == $0 }
  }
}
