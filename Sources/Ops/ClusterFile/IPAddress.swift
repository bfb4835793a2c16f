/// An address, as bytes: 4 or 16 of them.
package enum IPAddress: Hashable, Sendable, CustomStringConvertible {
  case v4([UInt8])
  case v6([UInt8])

  /// `nil` for anything else, octal-looking numbers included (`010` is 8 for some readers, 10 for others).
  package init?(_ text: String) {
    if text.contains(":") {
      guard let bytes = Self.bytes6(text) else { return nil }
      self = .v6(bytes)
    } else {
      guard let bytes = Self.bytes4(text[...]) else { return nil }
      self = .v4(bytes)
    }
  }

  /// 32 or 128.
  package var bits: Int { bytes.count * 8 }

  package var bytes: [UInt8] {
    switch self {
    case .v4(let bytes), .v6(let bytes): bytes
    }
  }

  /// The first address of the network of this prefix length.
  package func network(_ length: Int) -> IPAddress {
    let masked = bytes.enumerated().map { index, byte in
      let kept = min(8, max(0, length - index * 8))
      return kept == 0 ? UInt8(0) : byte & (0xFF << (8 - UInt8(kept)))
    }
    switch self {
    case .v4: return .v4(masked)
    case .v6: return .v6(masked)
    }
  }

  package var description: String {
    switch self {
    case .v4(let bytes): bytes.map(String.init).joined(separator: ".")
    case .v6(let bytes): Self.text6(bytes)
    }
  }

  private static func bytes4(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.allSatisfy { $0.isASCII && $0.isNumber } && (part.count == 1 || part.first != "0") ? UInt8(part) : nil
    }
    return parts.count == 4 && numbers.count == 4 ? numbers : nil
  }

  private static func bytes6(_ text: String) -> [UInt8]? {
    guard let gap = text.firstRange(of: "::") else {
      let all = groups(text[...])
      return all?.count == 16 ? all : nil
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]),
      head.count + tail.count <= 14
    else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func groups(_ text: Substring) -> [UInt8]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(".") {
        guard let last = bytes4(part) else { return nil }
        bytes += last
      } else {
        guard (1...4).contains(part.utf8.count), !part.hasPrefix("+"), !part.hasPrefix("-"),
          let number = UInt16(part, radix: 16)
        else { return nil }
        bytes += [UInt8(number >> 8), UInt8(number & 0xFF)]
      }
    }
    return bytes
  }

  /// RFC 5952: small letters, no leading zeros, the longest run of zeros as `::`.
  private static func text6(_ bytes: [UInt8]) -> String {
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    var best = 0..<0
    var start = 0
    while start < 8 {
      let end = groups[start...].firstIndex { $0 != 0 } ?? 8
      if end - start > max(1, best.count) { best = start..<end }
      start = max(end, start) + 1
    }
    func join(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? join(groups[...]) : "\(join(groups[..<best.lowerBound]))::\(join(groups[best.upperBound...]))"
  }
}
