import Foundation
import Ops
import Testing

/// The files of nodes. `make golden` (UPDATE_GOLDEN=1) writes the golden folders anew; the difference is the review.
struct NodeTreeTests {
  /// Nodes of four topologies: one control node and edges at several providers; three control nodes with a virtual address and
  /// a mesh of our own; a private network behind a jump host; ZeroTier. One server that does both.
  static let golden: [(fixture: String, nodes: [String])] = [
    ("three-edges", ["cp-1", "edge-3"]), ("everything", ["cp-1", "cp-3", "edge-1"]),
    ("private-network", ["cp-1", "edge-1"]), ("first-document", ["server6127", "worker-2"]), ("one-node", ["one"]),
  ]

  static func facts(_ fixture: String, _ file: ClusterFile) throws -> KnownFacts {
    let text = Example.fixture("\(fixture).facts")
    return text.isEmpty
      ? KnownFacts() : try FactsFile.parse(text, file: "\(fixture).facts", nodes: file.nodes.map(\.name))
  }

  static func tree(_ fixture: String, _ name: String) throws -> NodeTree {
    let file = try RenderTests.file(fixture)
    let node = try #require(file.nodes.first { $0.name == name })
    return NodeTree(node, of: file, facts: try facts(fixture, file))
  }

  @Test(arguments: golden.flatMap { entry in entry.nodes.map { (entry.fixture, $0) } })
  func theFilesAreTheGoldenOnes(_ fixture: String, _ name: String) throws {
    let tree = try Self.tree(fixture, name)
    #expect(tree.complaint == nil)
    var files = tree.entries.map { ("files\($0.file.path)", $0.file.text) }
    let modes = tree.entries.map { "\(String($0.file.mode, radix: 8)) \($0.service.rawValue) \($0.file.path)\n" }
    files.append(("modes.txt", modes.joined()))
    let golden = Example.folder.appending(path: "Golden/nodes/\(fixture)/\(name)")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try? FileManager.default.removeItem(at: golden)
      for (path, text) in files {
        let url = golden.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
    }
    let recorded = try #require(FileManager.default.subpaths(atPath: golden.path)).filter { path in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: golden.appending(path: path).path, isDirectory: &isFolder)
      return !isFolder.boolValue
    }
    #expect(Set(recorded) == Set(files.map(\.0)))
    for (path, text) in files {
      let recorded = try? String(contentsOf: golden.appending(path: path), encoding: .utf8)
      #expect(recorded == text, "\(fixture)/\(name)/\(path)")
    }
  }

  /// What is not known is left out and said, one line for each node; nothing is half there.
  @Test func filesThatWaitForFactsAreLeftOutAndNamed() throws {
    let file = try RenderTests.file("everything")
    let trees = file.nodes.map { NodeTree($0, of: file, facts: KnownFacts()) }
    let lines = trees.compactMap(\.complaint)
    #expect(lines.count == 5)
    #expect(
      lines.first
        == "cp-1: left out /etc/wireguard/wg-bashupload.conf, which needs publicKey of cp-2, cp-3, edge-1, edge-2, "
        + "and /etc/keepalived/keepalived.conf, which needs interface of cp-1: --facts FILE tells it, or apply asks the nodes"
    )
    #expect(trees.allSatisfy { tree in !tree.entries.contains { $0.file.path.contains("wireguard/") } })
    #expect(trees.allSatisfy { tree in tree.entries.contains { $0.file.path == "/etc/bashupload/firewall.nft" } })
    let inner = try RenderTests.file("private-network")
    let edge = NodeTree(inner.nodes[1], of: inner, facts: KnownFacts())
    #expect(edge.complaint?.contains("/etc/rancher/k3s/config.yaml, which needs interface of edge-1") == true)
  }

  /// A node that comes or goes changes nobody's address.
  @Test func derivedMeshAddressesDependOnTheNameAlone() throws {
    let text = Example.with("type: wireguardNative }", "type: wireguard }")
    let all = try ClusterFile(parsing: text, file: "f")
    var fewer = all
    fewer.nodes.remove(at: 1)
    let name = fewer.nodes[1].name
    let before = all.nodes.first { $0.name == name }.flatMap { NodeNetwork(all).meshAddress($0) }
    #expect(before != nil && before == NodeNetwork(fewer).meshAddress(fewer.nodes[1]))
  }

  /// Pods get IPv6 when every node has it, and only with the mesh that carries it.
  @Test func dualStackNeedsAnAddressOfEveryNode() throws {
    #expect(!NodeNetwork(try RenderTests.file("three-edges")).isDualStack)
    var file = try RenderTests.file("one-node")
    file.nodes[0].address6 = IPAddress("2001:db8::10")
    #expect(NodeNetwork(file).isDualStack)
    let tree = NodeTree(file.nodes[0], of: file, facts: KnownFacts())
    let text = tree.entries.first { $0.file.path == "/etc/rancher/k3s/config.yaml" }?.file.text ?? ""
    #expect(text.contains("node-ip: \"203.0.113.10,2001:db8::10\""))
    #expect(text.contains("flannel-ipv6-masq: true"))
    let firewall = tree.entries.first { $0.file.path == "/etc/bashupload/firewall.nft" }?.file.text ?? ""
    #expect(firewall.contains("\"flannel-wg-v6\"") && firewall.contains("51820-51821"))
  }

  @Test(arguments: [
    ("nodes: { edge-9: { interface: eth0 } }", "1:10: nodes.edge-9: is no node of the cluster file"),
    ("nodes: { edge-1: { interface: \"eth0; reboot\" } }", "is not an interface"),
    ("nodes: { edge-1: { publicKey: abc } }", "is not a WireGuard public key"),
    ("nodes: { edge-1: { adress: x } }", "known here: publicKey, interface"),
    ("edge-1: { interface: eth0 }", "known here: nodes"),
    ("nodes: [edge-1]", "write a section"),
  ])
  func aWrongFactsFileIsRefused(_ text: String, _ says: String) throws {
    #expect {
      _ = try FactsFile.parse(text, file: "f", nodes: ["edge-1"])
    } throws: { error in
      "\(error)".contains(says)
    }
  }

  @Test func versionsAreOrderedAsNumbers() throws {
    let versions = ["v1.9.12+k3s1", "v1.32.0+k3s1", "v1.32.9+k3s2", "v1.32.10+k3s1"].compactMap { K3sVersion($0) }
    #expect(versions.count == 4 && versions == versions.sorted())
    #expect(K3sVersion("1.33.5") == nil && K3sVersion("v1.33+k3s1") == nil)
    #expect(versions[1].description == "v1.32.0+k3s1")
  }
}
