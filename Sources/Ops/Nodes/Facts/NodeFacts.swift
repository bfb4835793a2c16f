/// What a node has told about itself. It is read strictly: a node may be somebody else's by now, and what it says goes into
/// the files of others.
package struct NodeFacts: Hashable, Sendable {
  /// The answer is not one of the facts script.
  struct Unreadable: Error, CustomStringConvertible {
    var description: String { "the node's answer ended early or is not one of a shell" }
  }

  /// State of a unit.
  struct Unit: Hashable, Sendable {
    var isActive: Bool
    var isEnabled: Bool
  }

  var architecture = ""
  /// Digest by path.
  var sums: [String: String] = [:]
  /// Permission bits by path.
  var modes: [String: Int] = [:]
  /// Files that an earlier apply has written.
  var owned: [String] = []
  /// Files that k3s reads after its config.yaml, whoever has written them.
  var settings: [String] = []
  /// What services were started with last.
  var stamps: [String: String] = [:]
  var packages: Set<String> = []
  var units: [String: Unit] = [:]
  /// A change of firewall or sshd waits for its proof.
  var isPending = false
  /// A restore has begun on it and not ended.
  var isRestoring = false
  var publicKey: String?
  /// Public keys of the peers in its WireGuard file.
  var peers: [String: String] = [:]
  /// Interface by address.
  var interfaces: [IPAddress: String] = [:]
  /// When the first of its k3s certificates ends, in seconds since 1970.
  var certificateEnd: Int?
  /// Which start of the machine this is.
  var bootID: String?
  /// The system says that an update needs a reboot.
  var needsReboot = false
  /// Digest of the authority of the cluster that its tokens are of.
  var authority: String?
  /// Where its present config.yaml joins.
  var server: IPAddress?
  /// The address that its config.yaml gives it.
  var nodeAddress: IPAddress?
  /// Whether it has joined etcd, with data of its own.
  var isMember = false
  /// The address by which the other members know it.
  var memberAddress: IPAddress?
  /// Whether the cluster that it has the state of has IPv6 for pods; `nil`: it has no state.
  var isDualStack: Bool?
  /// The IPv4 networks of that cluster.
  var podNetwork = NodeNetwork.standardPodNetwork
  var serviceNetwork = NodeNetwork.standardServiceNetwork
  /// Chains of others that drop or reject what comes in or goes through.
  var foreignChains: [ForeignFirewall.Chain] = []
  /// The k3s that is there.
  var k3sVersion: K3sVersion?
  /// ZeroTier is installed.
  var hasZeroTier = false

  init() {}

  init(parsing output: String) throws(Unreadable) {
    let lines = output.split(separator: "\n").map {
      $0.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    }
    guard lines.first == ["facts", "1"], lines.last == ["end"] else { throw Unreadable() }
    var peer: String?
    for words in lines {
      switch (words.first ?? "", words.count) {
      case ("architecture", 2): architecture = words[1]
      case ("owned", 2) where words[1].hasPrefix("/"): owned.append(words[1])
      case ("settings", 2): settings.append(words[1])
      case ("sum", 3) where Self.isDigest(words[1]): sums[words[2]] = words[1]
      case ("mode", 3): modes[words[2]] = Int(words[1], radix: 8)
      case ("stamp", 3): stamps[words[1]] = words[2]
      case ("package", 2): packages.insert(words[1])
      case ("unit", 3...):
        units[words[1]] = Unit(isActive: words[2] == "active", isEnabled: words.count > 3 && words[3] == "enabled")
      case ("pending", 1): isPending = true
      case ("restoring", 1): isRestoring = true
      case ("key", 2) where FactsFile.isPublicKey(words[1]): publicKey = words[1]
      case ("peer", 2): peer = words[1]
      case ("peer-key", 2):
        if let name = peer, FactsFile.isPublicKey(words[1]) { peers[name] = words[1] }
        peer = nil
      case ("address", 3):
        let text = String(words[2].prefix { $0 != "/" })
        if let address = IPAddress(text), FactsFile.isInterface(words[1]) { interfaces[address] = words[1] }
      case ("certificate", 2): certificateEnd = [certificateEnd, Int(words[1])].compactMap { $0 }.min()
      case ("boot", 2): bootID = words[1]
      case ("reboot", 1): needsReboot = true
      case ("authority", 2): authority = words[1]
      case ("server", 2): server = Self.address(words[1])
      case ("member", 1): isMember = true
      case ("node-ip", 2): nodeAddress = Self.address(words[1])
      case ("etcd", 2): memberAddress = Self.address(words[1])
      case ("dual-stack", 2): isDualStack = words[1] == "yes"
      case ("pods", 2): podNetwork = IPNetwork(words[1]) ?? podNetwork
      case ("services", 2): serviceNetwork = IPNetwork(words[1]) ?? serviceNetwork
      case ("chain", 5):
        foreignChains.append(.init(tool: words[1], place: words[2], hook: words[3], verdict: words[4]))
      case ("k3s", 2): k3sVersion = K3sVersion(words[1])
      case ("zerotier", 1): hasZeroTier = true
      default: break
      }
    }
  }

  /// Days before their end from which on its certificates are renewed by a restart; k3s renews them when it starts, from 120
  /// days on, and at no other time.
  static let renewal = 90

  /// Days until the first of its k3s certificates ends; `nil`: not known.
  /// - Parameter now: seconds since 1970.
  func certificateDays(_ now: Int) -> Int? { certificateEnd.map { ($0 - now) / 86_400 } }

  /// Whether k3s has to be restarted for its certificates alone.
  func needsRenewal(_ now: Int) -> Bool { certificateDays(now).map { $0 < Self.renewal } == true }

  /// Also as it stands in a URL.
  private static func address(_ text: String) -> IPAddress? { IPAddress(text.filter { $0 != "[" && $0 != "]" }) }

  private static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// As k3s names it.
  var k3sArchitecture: String? { ["x86_64": "amd64", "aarch64": "arm64"][architecture] }
}
