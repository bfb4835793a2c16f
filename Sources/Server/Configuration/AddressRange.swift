import Glibc

/// An address or a CIDR block, IPv4 or IPv6.
package struct AddressRange: Sendable, Hashable {
  private let bytes: [UInt8]
  private let prefixLength: Int

  /// `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`.
  package init?(parsing text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let bytes = parts.first.flatMap({ Self.addressBytes(String($0)) }) else { return nil }
    self.bytes = bytes
    guard parts.count == 2 else {
      prefixLength = bytes.count * 8
      return
    }
    guard let length = Int(parts[1]), parts[1].allSatisfy(\.isNumber), 0...(bytes.count * 8) ~= length else {
      return nil
    }
    prefixLength = length
  }

  /// Comma separated; nil when one of them is no range.
  package static func list(_ text: String) -> [AddressRange]? {
    var ranges: [AddressRange] = []
    for part in text.split(separator: ",") {
      let trimmed = part.drop { $0 == " " }.prefix { $0 != " " }
      guard let range = AddressRange(parsing: trimmed) else { return nil }
      ranges.append(range)
    }
    return ranges
  }

  package func contains(_ address: String) -> Bool {
    guard let other = Self.addressBytes(address), other.count == bytes.count else { return false }
    var bits = prefixLength
    for (mine, theirs) in zip(bytes, other) {
      if bits <= 0 { return true }
      let mask: UInt8 = bits >= 8 ? 0xFF : ~(0xFF >> UInt8(bits))
      if mine & mask != theirs & mask { return false }
      bits -= 8
    }
    return true
  }

  /// Network order; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
  static func addressBytes(_ text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
    var six = in6_addr()
    guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    let bytes = withUnsafeBytes(of: &six) { Array($0) }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    return bytes.starts(with: mapped) ? Array(bytes[12...]) : bytes
  }
}
