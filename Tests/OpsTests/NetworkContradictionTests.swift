import Foundation
import Ops
import Testing

/// Addresses against the networks that k3s and we bring.
struct NetworkContradictionTests {
  /// `key: message` of what is wrong with one server with these values.
  private static func problems(_ node: String, _ more: String = "", mesh: String = "wireguardNative") -> [String] {
    let text = Example.fixture("one-node.yaml")
    let head = text.prefix(upTo: text.range(of: "nodes:")?.lowerBound ?? text.endIndex)
    return Example.problems(
      head + "mesh: { type: \(mesh) }\nnodes:\n  - { name: one, role: all, provider: a, region: r, \(node) }\n\(more)\n"
    ).map { "\($0.path): \($0.message)" }
  }

  @Test(arguments: [
    ("address: 203.0.113.10, privateAddress: 10.42.0.2", "", "nodes[0].privateAddress", "10.42.0.0/16 of the pods"),
    ("address: 203.0.113.10, privateAddress: 10.43.0.1", "", "nodes[0].privateAddress", "10.43.0.0/16 of the Services"),
    (
      "address: 203.0.113.10, privateAddress: 10.43.0.10", "", "nodes[0].privateAddress", "10.43.0.0/16 of the Services"
    ),
    ("address: 10.42.0.7", "", "nodes[0].address", "of the pods"),
    (
      "address: 203.0.113.10", "access: { adminCIDRs: [10.42.0.0/24] }", "access.adminCIDRs[0]",
      "10.42.0.0/24 is in the network 10.42.0.0/16 of the pods"
    ),
    (
      "address: 203.0.113.10", "access: { jumpHost: { address: 10.43.9.9 } }", "access.jumpHost.address",
      "of the Services"
    ),
    (
      "address: 203.0.113.10, privateAddress: 10.1.2.3", "kubernetes: { network: { pods: 10.0.0.0/12 } }",
      "nodes[0].privateAddress", "10.0.0.0/12 of the pods"
    ),
    ("address: 203.0.113.10", "kubernetes: { network: { pods: 10.43.0.0/16 } }", "kubernetes.network", "overlap"),
    ("address: 203.0.113.10", "kubernetes: { network: { pods: 192.0.2.0/24 } }", "kubernetes.network.pods", "private"),
    ("address: 203.0.113.10, address6: \"fd42:6261:7368::9\"", "", "nodes[0].address6", "of the pods in IPv6"),
    ("address: 127.0.0.1", "", "nodes[0].address", "loopback"),
    ("address: 169.254.1.1", "", "nodes[0].address", "link-local"),
    ("address: 239.1.1.1", "", "nodes[0].address", "multicast"),
  ])
  func anAddressInOneOfThemIsRefused(_ node: String, _ more: String, _ path: String, _ says: String) {
    let found = Self.problems(node, more)
    #expect(found.contains { $0.hasPrefix("\(path): ") && $0.contains(says) }, "\(found)")
  }

  @Test func meshAddressesAreCheckedAsWell() {
    let derived = Self.problems("address: 203.0.113.10, privateAddress: 10.98.0.9", mesh: "wireguard")
    #expect(derived.contains { $0.contains("10.98.0.0/16 of our WireGuard mesh") }, "\(derived)")
    let own = Self.problems("address: 203.0.113.10, meshAddress: 10.42.0.9", mesh: "wireguard")
    #expect(own.contains { $0.hasPrefix("nodes[0].meshAddress: ") && $0.contains("of the pods") }, "\(own)")
    // Another mesh than ours makes room.
    #expect(
      Self.problems("address: 203.0.113.10, privateAddress: 10.98.0.9, meshAddress: 10.99.0.1", mesh: "wireguard") == []
    )
  }

  @Test func otherNetworksMakeRoomAndReachK3s() throws {
    let room = "kubernetes: { network: { pods: 172.20.0.0/16, services: 172.21.0.0/16 } }"
    #expect(Self.problems("address: 203.0.113.10, privateAddress: 10.42.0.2", room) == [])
    // A wider network of the operator's holds others as well.
    #expect(Self.problems("address: 203.0.113.10", "access: { adminCIDRs: [10.0.0.0/8] }") == [])
    let text = Example.with(
      "  datastore: etcd", "  network: { pods: 172.20.0.0/16, services: 172.21.0.0/16 }\n  datastore: etcd")
    let file = try ClusterFile(parsing: text, file: "f")
    let tree = NodeTree(try #require(file.nodes.first), of: file, facts: KnownFacts())
    let k3s = try #require(tree.entries.first { $0.file.path == "/etc/rancher/k3s/config.yaml" }).file.text
    #expect(k3s.contains("cluster-cidr: ") && k3s.contains("172.20.0.0/16") && k3s.contains("172.21.0.0/16"), "\(k3s)")
  }

  @Test func aPrivateAddressNeedsAWayToIt() {
    let found = Example.problems(Example.with("address: 203.0.113.12", "address: 192.168.7.12")).map(\.message)
    #expect(found.count == 1 && found[0].contains("192.168.7.12 is private, and") && found[0].contains("zerotier"))
    #expect(Self.problems("address: 192.168.7.12") == [], "one server has nobody to reach it")
  }

  /// Thirty lines that mean a billion values.
  @Test(arguments: ["n: ", "? "], [2, 9])
  func anAliasBombEndsAtOnce(_ use: String, _ width: Int) {
    var bomb = "a0: &a0 [x, x]\n"
    for level in 1...30 {
      bomb += "a\(level): &a\(level) [\((0..<width).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
    }
    let clock = ContinuousClock()
    var found: [Problem] = []
    let time = clock.measure { found = Example.problems(bomb + "\(use)*a30\n") }
    #expect(found.contains { $0.message.contains("aliases") && $0.message.contains("not used here") }, "\(found)")
    #expect(time < .seconds(2))
  }

  @Test func aFewAliasesAreToldWithTheirPlaces() {
    let found = Example.problems(Example.adding("x: &x 1\ny: *x"))
    #expect(found.contains { $0.message.contains("aliases are not used here") }, "\(found)")
    // A star in a text is none.
    #expect(Example.problems(Example.text.replacing("*/5 * * * *", with: "*/7 * * * *")) == [])
  }

  @Test func aByteOrderMarkIsNoPartOfTheFile() {
    #expect(Example.problems("\u{FEFF}" + Example.text) == [])
    #expect(Example.problems("\u{FEFF}" + Example.text.replacing("\n", with: "\r\n")) == [])
  }

  @Test func aRefusedFeatureNamesItsLine() throws {
    let text = Example.with("longhorn: { enabled: false }", "longhorn: { enabled: true }")
    let line =
      try #require(text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("longhorn") })
      + 1
    let refusal = try #require(try ClusterFile(parsing: text, file: "f").refusals().first)
    #expect(refusal.position.line == line && refusal.position.column > 1)
  }
}
