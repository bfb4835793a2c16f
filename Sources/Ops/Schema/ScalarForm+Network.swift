extension ScalarForm {
  static let address4 = ScalarForm("an IPv4 address such as 203.0.113.10") { text in
    switch IPAddress(text) {
    case .v4: nil
    case .v6: "\"\(text)\" is IPv6: it belongs to address6"
    case nil: "\"\(text)\" is not an IPv4 address such as 203.0.113.10"
    }
  }

  static let address6 = ScalarForm("an IPv6 address such as 2001:db8::33") { text in
    switch IPAddress(text) {
    case .v6: nil
    case .v4: "\"\(text)\" is IPv4: it belongs to address"
    case nil: "\"\(text)\" is not an IPv6 address such as 2001:db8::33"
    }
  }

  static let address = ScalarForm("an address such as 10.0.0.5") { IPAddress($0) != nil }

  /// A host that ssh or a DNS client can reach.
  static let host = ScalarForm("an address or a host name") { IPAddress($0) != nil || isDomain($0) }

  static let cidr = ScalarForm("a network such as 198.51.100.0/24") { text in
    if let address = IPAddress(text) { return "\"\(text)\" is one address: write \(text)/\(address.bits)" }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
      (0...address.bits).contains(length)
    else { return "\"\(text)\" is not a network such as 198.51.100.0/24" }
    let network = address.network(length)
    return network == address
      ? nil : "\"\(text)\" has bits beyond its /\(length): write \(network)/\(length)"
  }

  /// An IPv4 network that the cluster has for itself.
  static func innerNetwork(_ lengths: ClosedRange<Int>) -> ScalarForm {
    ScalarForm("a private IPv4 network such as 10.42.0.0/16") { text in
      if let complaint = cidr.complaint(text) { return complaint }
      guard let network = IPNetwork(text), network.address.isPrivate else {
        return "\"\(text)\" is not a private IPv4 network such as 10.42.0.0/16"
      }
      if network.address.isV6 { return "\"\(text)\" is IPv6: write a private IPv4 network such as 10.42.0.0/16" }
      return lengths.contains(network.length)
        ? nil : "\"\(text)\" has a prefix out of range: /\(lengths.lowerBound) to /\(lengths.upperBound)"
    }
  }

  /// Five fields, as CronJob reads them.
  static let cron = ScalarForm("a cron schedule of five fields, such as */5 * * * *") { text in
    let fields = text.split(separator: " ", omittingEmptySubsequences: true)
    let limits = [0...59, 0...23, 1...31, 1...12, 0...7]
    let names = ["minute", "hour", "day", "month", "weekday"]
    guard fields.count == 5 else { return "\"\(text)\" has \(fields.count) fields: minute hour day month weekday" }
    for (index, field) in fields.enumerated() where !isCronField(field, limits[index]) {
      return "\"\(field)\" is not a \(names[index]) (\(limits[index].lowerBound)-\(limits[index].upperBound))"
    }
    return nil
  }

  private static func isCronField(_ field: Substring, _ limits: ClosedRange<Int>) -> Bool {
    field.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { item in
      let parts = item.split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count) else { return false }
      if parts.count == 2 {
        guard let step = Int(parts[1]), step >= 1, step <= limits.upperBound else { return false }
      }
      if parts[0] == "*" { return true }
      let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else { return false }
      return first <= last && limits.contains(first) && limits.contains(last)
    }
  }
}
