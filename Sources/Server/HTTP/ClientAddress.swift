import Glibc

/// The address of one client, in the one spelling that it has here.
package struct ClientAddress: Sendable, Hashable {
  /// 4 or 16 bytes, in network order.
  package let bytes: [UInt8]
  /// As the log shows it.
  package let text: String

  /// An address as proxies and kernels write it: with or without brackets, quotes, a port or a zone
  /// (`203.0.113.5:51008`, `[2001:db8::1]:443`, `"[2001:db8::1]"`, `fe80::1%eth0`).
  package init?(parsing field: some StringProtocol) {
    var text = Substring(field)
    // None of the forms is longer; nobody pays for reading more.
    guard text.utf8.count <= 128 else { return nil }
    while let first = text.utf8.first, first == 32 || first == 9 { text = text.dropFirst() }
    while let last = text.utf8.last, last == 32 || last == 9 { text = text.dropLast() }
    if text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), Self.isPort(text[text.index(after: end)...]) else { return nil }
      text = text[text.index(after: text.startIndex)..<end]
      guard text.contains(":") else { return nil }
    } else if let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") {
      // One colon: an IPv4 address and its port.
      guard Self.isPort(text[colon...]) else { return nil }
      text = text[..<colon]
    }
    if let zone = text.firstIndex(of: "%"), text.contains(":") { text = text[..<zone] }
    guard let bytes = AddressRange.addressBytes(String(text)) else { return nil }
    self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &buffer, socklen_t(buffer.count))
    text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Nothing, or `:` and a port. Some proxies write a port that is obfuscated or 0: any of digits will do.
  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty
      || text.hasPrefix(":") && (2...6).contains(text.utf8.count)
        && text.utf8.dropFirst().allSatisfy { 48...57 ~= $0 }
  }

  /// What limits count as one client: an IPv6 host has a whole /64 to choose from.
  package var network: [UInt8] { bytes.count == 16 ? Array(bytes.prefix(8)) : bytes }

  /// Whether it is this machine itself.
  package var isLoopback: Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
  }

  /// Whether it is reached from the whole internet, and so hardly a proxy of ours: not of this machine, a private network
  /// (RFC 1918, RFC 4193), a shared one (RFC 6598) or a link.
  package var isPublic: Bool { !Self.local.contains { $0.contains(text) } }

  private static let local =
    AddressRange.list(
      "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.168.0.0/16,::/127,fc00::/7,fe80::/10"
    ) ?? []
}
