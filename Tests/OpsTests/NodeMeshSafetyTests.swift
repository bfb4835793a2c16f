import Foundation
import Ops
import Synchronization
import Testing

/// What a mesh, an address or a version means for k3s beside it.
struct NodeMeshSafetyTests {
  private static let keys = [
    "cp-1": "mZ3gGlqDpZFJ1eRkxFjqSSGkMr1kkaIIbXk5ZpPkBWU=", "edge-1": "hx/OqFD6bU2Ks+nqCZrIvGdZ4LLBvDLvJ1FEfN8GyHM=",
    "edge-2": "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "edge-3": "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=",
  ]
  private static let units = [
    "bashupload-firewall.service", "wg-quick@wg-bashupload.service", "zerotier-one.service", "k3s-agent.service",
  ].map { "unit \($0) active enabled\n" }.joined()

  private static func scripts(_ story: Story) -> [String] {
    story.cluster.invocations.filter { $0.program == "ssh" && $0.input?.contains("echo facts 1") != true }
      .compactMap(\.input)
  }

  /// The interface goes and comes back, and what flannel has put on it does not.
  @Test(arguments: [("wireguard", "wg-quick@wg-bashupload"), ("zerotier", "zerotier-one")])
  func k3sStartsAfterTheMeshThatItSendsOver(_ service: String, _ unit: String) async throws {
    let text =
      service == "zerotier"
      ? Self.zeroTier : Example.with("mesh: { type: wireguardNative }", "mesh: { type: wireguard }")
    let story = try Self.story(text, cp: "")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      for (name, key) in Self.keys { state.facts[name] = "zerotier\nkey \(key)\n" }
    }
    #expect(await story.deploy("apply", "--yes", "--only", "node/edge-1").status == 0)
    let made = NodeFiles.facts(after: Self.scripts(story)) + Self.units
    story.cluster.state.withLock { $0.facts["edge-1", default: ""] += made }
    let before = await story.deploy("plan", "--only", "node/edge-1")
    #expect(!before.text.contains("restarts \(unit)") && !before.text.contains("restarts k3s"), "\(before.text)")
    story.cluster.state.withLock { $0.facts["edge-1", default: ""] += "stamp \(service) another\n" }
    let after = await story.deploy("plan", "--only", "node/edge-1")
    #expect(after.text.contains("! node/edge-1 restarts \(unit).service\n! node/edge-1 restarts k3s-agent.service"))
  }

  /// A new key of its own is a start of its own mesh; and one that has answered without a key gets a new one.
  @Test func aNewKeyChangesItsOwnFile() async throws {
    let file = try RenderTests.file("everything")
    var known = try NodeTreeTests.facts("everything", file)
    func text() -> String {
      NodeTree(file.nodes[0], of: file, facts: known).entries
        .first { $0.file.path == "/etc/wireguard/wg-bashupload.conf" }?.file.text ?? ""
    }
    let before = text()
    #expect(before.contains("\n# public key: mZ3gGlqDpZFJ1eRkxFjqSSGkMr1kkaIIbXk5ZpPkBWU=\n"))
    known.nodes["cp-1"]?.publicKey = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
    #expect(text() != before)
    let story = try Self.story(Example.with("mesh: { type: wireguardNative }", "mesh: { type: wireguard }"), cp: "")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      for (name, key) in Self.keys where name != "edge-1" {
        state.facts[name] = "key \(key)\npeer edge-1\npeer-key \(Self.keys["edge-1"] ?? "")\n"
      }
    }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(
      plan.text.contains("? node/cp-1 /etc/wireguard/wg-bashupload.conf needs publicKey of edge-1"), "\(plan.text)")
    // One that is away keeps the key by which its neighbours know it.
    story.cluster.state.withLock { $0.machines["edge-1"] = nil }
    #expect(await !story.deploy("plan", "--only", "nodes").text.contains("needs publicKey of edge-1"))
  }

  @Test(arguments: [
    ("v1.32.7+k3s1", false), ("v1.32.8+k3s1", true), ("v1.33.3+k3s1", false), ("v1.33.4+k3s1", true),
    ("v1.34.0+k3s1", true), ("v1.35.0+k3s1", true),
  ])
  func snapshotsInABucketAreCountedWhereK3sCanDoIt(_ version: String, _ can: Bool) async throws {
    let file = try ClusterFile(parsing: Example.with("version: v1.33.5+k3s1", "version: \(version)"), file: "f")
    let tree = NodeTree(file.nodes[0], of: file, facts: KnownFacts())
    let text = tree.entries.first { $0.file.path == "/etc/rancher/k3s/config.yaml" }?.file.text ?? ""
    #expect(text.contains("etcd-s3-retention: 12\n") == can)
    // The one that is there stays until upgrade replaces it, and it may not know the key.
    let story = try Self.story(Example.text, cp: "k3s \(version)\n")
    defer { story.scratch.remove() }
    #expect(await story.deploy("apply", "--yes", "--only", "node/cp-1").status == 0)
    let sent = NodeFiles.sent(Self.scripts(story), to: "/etc/rancher/k3s/config.yaml", of: "cp-1")
    #expect(sent?.contains("etcd-s3-retention: 12\n") == can)
  }

  private static func story(_ text: String, cp facts: String) throws -> Story {
    let story = try Story(text)
    let file = try ClusterFile(parsing: text, file: "f")
    story.cluster.state.withLock { state in
      state.machines = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, "\($0.address)") })
      state.facts["cp-1"] = facts
    }
    return story
  }

  /// Every node of the example with an IPv6 address.
  private static let dual = Example.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
    guard line.hasPrefix("  - { name: "), !line.contains("address6") else { return String(line) }
    let name = line.dropFirst("  - { name: ".count).prefix { $0 != "," }
    return String(line).replacing(
      "provider:", with: "address6: \"2001:db8::\(name == "cp-1" ? "10" : String(name.last ?? "0"))\", provider:")
  }.joined(separator: "\n")

  @Test(arguments: [
    (false, "dual-stack yes\n", "cp-1, edge-1, edge-2 without address6; write it, or leave the node out"),
    (true, "dual-stack no\n", "every node has address6, so pods would get IPv6"), (false, "dual-stack no\n", ""),
    (true, "dual-stack yes\n", ""), (true, "", ""),
  ])
  func theFamiliesOfAClusterThatRunsStay(_ isDual: Bool, _ facts: String, _ says: String) async throws {
    let story = try Self.story(isDual ? Self.dual : Example.text, cp: facts)
    defer { story.scratch.remove() }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == (says.isEmpty ? 2 : 1) && (says.isEmpty || plan.text.contains(says)), "\(plan.text)")
    if says.isEmpty { return }
    let apply = await story.deploy("apply", "--yes", "--only", "node/edge-1")
    #expect(apply.status == 1 && apply.text.contains(says))
    #expect(!story.cluster.invocations.contains { $0.program == "ssh" && $0.input?.contains("echo facts 1") != true })
  }

  @Test func anAddressThatChangesIsOfIPv4() {
    let problems = Example.problems(
      Self.dual.replacing("dynamicAddress: { enabled: false }", with: "dynamicAddress: { enabled: true }"))
    #expect(problems.map(\.path) == ["features.dynamicAddress"] && problems[0].message.contains("IPv4 only"))
  }

  @Test func theFileOfTheWatchIsOurs() async throws {
    let text = Example.with("dynamicAddress: { enabled: false", "dynamicAddress: { enabled: true")
    let line = "settings /etc/rancher/k3s/config.yaml.d/60-address.yaml\n"
    for (text, isTold) in [(text, false), (Example.text, true)] {
      let story = try Self.story(text, cp: line)
      defer { story.scratch.remove() }
      let plan = await story.deploy("plan", "--only", "nodes")
      #expect(plan.text.contains("60-address.yaml is not ours") == isTold, "\(plan.text)")
    }
  }

  private static let zeroTier = Example.with(
    "mesh: { type: wireguardNative }", "mesh: { type: zerotier, network: 0123456789abcdef }"
  ).split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
    line.hasPrefix("  - { name: ")
      ? String(line).replacing("provider:", with: "meshAddress: 10.7.0.\(index), provider:") : String(line)
  }.joined(separator: "\n")

  @Test func aNodeWithoutZeroTierIsLeftAloneAndOneWithItJoins() async throws {
    let story = try Self.story(Self.zeroTier, cp: "zerotier\n")
    defer { story.scratch.remove() }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == 1 && plan.text.contains("x node/edge-1: mesh zerotier, and zerotier-one is not installed"))
    #expect(!plan.text.contains("x node/cp-1"), "\(plan.text)")
    #expect(await story.deploy("apply", "--yes", "--only", "node/cp-1").status == 0)
    #expect(Self.scripts(story).contains { $0.contains("networks.d/$network.conf") })
  }

  @Test func anAddressThatIsOnNoInterfaceIsSaid() async throws {
    let text = Example.with("{ name: cp-1,   role", "{ name: cp-1, privateAddress: 10.0.0.5, role")
    let story = try Self.story(text, cp: "address eth0 10.0.0.4/24\n")
    defer { story.scratch.remove() }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.text.contains("note: node/cp-1: 10.0.0.5 is on no interface of it"), "\(plan.text)")
    story.cluster.state.withLock { $0.facts["cp-1"] = "address eth0 10.0.0.5/24\n" }
    #expect(await !story.deploy("plan", "--only", "nodes").text.contains("is on no interface"))
  }

  @Test func aClosedAPIIsSaid() async throws {
    let text = Example.with("adminCIDRs: [198.51.100.0/24]", "adminCIDRs: []")
    let story = try Self.story(text, cp: "")
    defer { story.scratch.remove() }
    for verb in [["check"], ["plan", "--only", "nodes"]] {
      #expect(await story.run(verb).text.contains("access.adminCIDRs is empty: the API (6443) is closed"))
    }
  }

  /// An agent with many keys uses up the tries of sshd; and backup takes no folder that is there.
  @Test func theKeyThatIsNamedIsTheOneThatIsUsed() async throws {
    let story = try Self.story(Example.text, cp: "")
    defer { story.scratch.remove() }
    _ = await story.deploy("plan", "--only", "nodes")
    let call = try #require(story.cluster.invocations.first { $0.program == "ssh" })
    let words = call.arguments.joined(separator: " ")
    #expect(words.contains("-i ") && words.contains("-o IdentitiesOnly=yes"), "\(words)")
    #expect(await story.deploy("backup", "--help").text.contains("the folder to write; it must not exist yet"))
  }
}
