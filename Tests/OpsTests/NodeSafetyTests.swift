import Foundation
import Ops
import Synchronization
import Testing

/// What takes nodes out of a cluster that runs, and how a machine that was built anew comes back into one.
struct NodeSafetyTests {
  static let running = "unit k3s.service active enabled\n"

  /// Three control nodes and an edge; all of them members that run.
  static let three = Example.with(
    "  - { name: cp-1,   role: control, address: 203.0.113.10, provider: vultr,     region: ap-tokyo }\n",
    [("cp-1", 10), ("cp-2", 14), ("cp-3", 15)].map { name, last in
      "  - { name: \(name), role: control, address: 203.0.113.\(last), privateAddress: 10.0.0.\(last), provider: vultr, "
        + "region: ap-tokyo }\n"
    }.joined())

  static func story(_ text: String = Example.text, fresh: Set<String> = []) throws -> Story {
    let story = try Story(text)
    let file = try ClusterFile(parsing: text, file: "f")
    story.cluster.state.withLock { state in
      state.machines = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, "\($0.address)") })
      state.fresh = fresh
      for control in file.controls {
        state.addNode(control.name, role: "control")
        if !fresh.contains(control.name) { state.facts[control.name] = running }
      }
    }
    for name in fresh {
      story.cluster.change("Node", name) { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    }
    return story
  }

  /// Scripts that change something: all but the question for facts.
  static func scripts(_ story: Story, _ address: String? = nil) -> [String] {
    story.cluster.invocations.filter { call in
      call.program == "ssh" && call.input?.contains("echo facts 1") != true
        && (address.map { address in call.arguments.contains { $0.hasSuffix("@\(address)") } } ?? true)
    }.compactMap(\.input)
  }

  @Test func aNewControlNodeBesideMembersChangesNothingAnywhere() async throws {
    let story = try Self.story(fresh: ["cp-1"])
    defer { story.scratch.remove() }
    for verb in [["plan"], ["apply", "--yes"]] {
      let done = await story.run(verb, withNodes: true)
      #expect(done.status == 1 && Self.scripts(story).isEmpty, "\(done.text)")
      #expect(
        done.text
          == "cp-1 is new and edge-1, edge-2, edge-3 belong to a cluster already: bring it back first (bashupload deploy "
          + "apply --only node/cp-1, then bashupload deploy restore --from DIR)")
    }
    let one = await story.deploy("apply", "--yes", "--only", "node/cp-1")
    #expect(one.status == 0 && Self.scripts(story, "203.0.113.11").isEmpty, "\(one.text)")
    #expect(Self.scripts(story, "203.0.113.10").contains { $0.contains("step 'make /etc/rancher/k3s/token'") })
  }

  @Test func withAllControlNodesNewItIsTheSame() async throws {
    let story = try Self.story(Self.three, fresh: ["cp-1", "cp-2", "cp-3"])
    defer { story.scratch.remove() }
    let done = await story.run(["apply", "--yes"], withNodes: true)
    #expect(done.status == 1 && done.text.hasPrefix("cp-1 is new and edge-1, edge-2, edge-3 belong"), "\(done.text)")
    #expect(Self.scripts(story).isEmpty)
    // Where nobody is a member yet, a control node that is silent could be one.
    story.cluster.state.withLock { state in
      state.fresh = ["cp-1", "cp-2", "edge-1", "edge-2", "edge-3"]
      state.machines["cp-3"] = nil
    }
    let silent = await story.run(["apply", "--yes"], withNodes: true)
    #expect(silent.status == 1 && silent.text.contains("cp-1 is new, and cp-3 could not be asked"), "\(silent.text)")
    #expect(Self.scripts(story).isEmpty)
  }

  /// It has been set up alone, and the restore has been forgotten.
  @Test func aClusterOfItsOwnIsNotPutOverTheOthers() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      state.facts["cp-1"] = "authority new\n" + Self.running
      for edge in ["edge-1", "edge-2"] { state.facts[edge] = "authority old\n" }
    }
    let done = await story.run(["apply", "--yes"], withNodes: true)
    #expect(done.status == 1 && Self.scripts(story).isEmpty, "\(done.text)")
    #expect(done.text.contains("cp-1 has a cluster of its own and edge-1, edge-2 belong to another"))
    // One that comes from elsewhere is taken over: the others say whose cluster it is.
    story.cluster.state.withLock { $0.facts["edge-1"] = "authority new\n" }
    #expect(await story.deploy("plan", "--only", "nodes").status == 2)
  }

  /// The first of three was lost: it joins the two that live, with their tokens, and the old one is no member before that.
  @Test func theFirstOfThreeJoinsTheOthersAgain() async throws {
    let story = try Self.story(Self.three, fresh: ["cp-1"])
    defer { story.scratch.remove() }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.text.contains("~ node/cp-1 /etc/rancher/k3s/token (secret, from the control node)"), "\(plan.text)")
    #expect(!plan.text.contains("made there"))
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("node/cp-1: a control node of this name has been here before"))
    let scripts = Self.scripts(story)
    let forgotten = try #require(scripts.firstIndex { $0.contains("delete node cp-1") })
    let made = try #require(scripts.firstIndex { $0.contains("restart k3s.service") })
    #expect(forgotten < made && Self.scripts(story, "203.0.113.14").contains { $0.contains("delete node cp-1") })
    #expect(!scripts.contains { $0.contains("step 'make /etc/rancher") })
    let text = try #require(NodeFiles.sent(scripts, to: "/etc/rancher/k3s/config.yaml", of: "cp-1"))
    #expect(text.contains("server: \"https://10.0.0.14:6443\"") && !text.contains("cluster-init"), "\(text)")
    // Once it is a member its file stays as it is: no second start. A restore makes it the first again.
    for (server, isKept) in [("server 10.0.0.14\n", true), ("server 10.0.0.99\n", false), ("", false)] {
      story.cluster.state.withLock { $0.facts["cp-1"] = Self.running + server }
      let before = Self.scripts(story).count
      _ = await story.deploy("apply", "--yes", "--only", "node/cp-1")
      let later = Array(Self.scripts(story).dropFirst(before))
      let next = try #require(NodeFiles.sent(later, to: "/etc/rancher/k3s/config.yaml", of: "cp-1"))
      #expect((next == text) == isKept && next.contains("cluster-init: true") != isKept)
    }
  }

  /// Through a mesh of our own: the members know the old machine's key.
  @Test func theFirstOfThreeIsKnownInTheMeshBeforeItJoins() async throws {
    let text = Self.three.replacing("mesh: { type: wireguardNative }", with: "mesh: { type: wireguard }")
    let story = try Self.story(text, fresh: ["cp-1"])
    defer { story.scratch.remove() }
    let names = ["cp-1", "cp-2", "cp-3", "edge-1", "edge-2", "edge-3"]
    story.cluster.state.withLock { state in
      for (index, name) in names.enumerated() {
        let key = Data((0..<32).map { UInt8($0 + index) }).base64EncodedString()
        state.facts[name, default: ""] += "key \(key)\n"
      }
    }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    let scripts = Self.scripts(story)
    let told = scripts.indices.filter { scripts[$0].contains("wg addconf wg-bashupload") }
    let made = try #require(scripts.firstIndex { $0.contains("restart k3s.service") })
    #expect(told.count == 2 && told.allSatisfy { $0 < made })
    #expect(told.allSatisfy { !scripts[$0].contains("systemctl restart") })
    let files = told.flatMap { NodeFiles.all(scripts[$0]) }
    let own = Data((0..<32).map { UInt8($0) }).base64EncodedString()
    #expect(files.map(\.path) == Array(repeating: "/etc/wireguard/wg-bashupload.conf", count: 2))
    #expect(files.allSatisfy { $0.text.contains("PublicKey = \(own)\n") })
  }

  /// The others of three may live: only one of them knows.
  @Test func aControlNodeThatIsSilentMayBeTheCluster() async throws {
    let story = try Self.story(Self.three, fresh: ["cp-1"])
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      for name in ["cp-2", "cp-3"] { state.machines[name] = nil }
    }
    for only in [[], ["--only", "node/cp-1"], ["--only", "node/edge-1"]] {
      let done = await story.run(["apply", "--yes"] + only, withNodes: true)
      #expect(done.status == 1 && Self.scripts(story).isEmpty, "\(done.text)")
      #expect(done.text.contains("cp-1 is new, and cp-2, cp-3 could not be asked whether there is a cluster already"))
      #expect(done.text.contains("if they are lost as well, take them out of the file"))
    }
    // With one of them an edge can join, whatever the first is.
    story.cluster.state.withLock { state in
      state.machines["cp-3"] = "203.0.113.15"
      state.fresh.insert("edge-1")
    }
    let edge = await story.deploy("apply", "--yes", "--only", "node/edge-1")
    #expect(edge.status == 0, "\(edge.text)")
    #expect(Self.scripts(story, "203.0.113.15").contains { $0.contains("echo \"token ") }, "from a member")
    #expect(Self.scripts(story, "203.0.113.10").isEmpty)
  }

  /// The run before ended when the tokens were there and k3s was not.
  @Test func aNameThatEtcdKnowsIsForgottenWhenK3sSaysSo() async throws {
    let story = try Self.story(Self.three)
    defer { story.scratch.remove() }
    story.cluster.change("Node", "cp-2") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    story.cluster.state.withLock { state in
      state.facts["cp-2"] = "unit k3s.service inactive enabled\n"
      state.duplicates = ["cp-2"]
      state.journals["cp-2"] =
        "level=fatal msg=\"etcd cluster join failed: duplicate node name found, please use...\"\n"
    }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("node/cp-2: a control node of this name has been here before, it is no member any more"))
    #expect(Self.scripts(story, "203.0.113.10").contains { $0.contains("delete node cp-2") }, "asked on a member")
    #expect(Self.scripts(story, "203.0.113.14").count { $0.contains("restart k3s.service") } == 2)
  }

  @Test func aNameThatSomebodyHasIsNotTaken() async throws {
    let story = try Self.story(Self.three, fresh: ["cp-2"])
    defer { story.scratch.remove() }
    story.cluster.change("Node", "cp-2") { $0["status"]?["conditions"] = [["type": "Ready", "status": "True"]] }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 1 && done.text.contains("node/cp-2: it is Ready in the cluster"), "\(done.text)")
    #expect(Self.scripts(story, "203.0.113.14").isEmpty)
  }

  @Test func aMemberThatIsRefusedBecauseOfItsNameIsLetIn() async throws {
    let story = try Self.story(Self.three)
    defer { story.scratch.remove() }
    story.cluster.change("Node", "cp-3") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    story.cluster.state.withLock {
      $0.journals["cp-3"] = "level=fatal msg=\"duplicate node name found, please use...\"\n"
    }
    let done = await story.run(["apply", "--yes", "--timeout", "60s"], withNodes: true)
    #expect(done.text.contains("node/cp-3: a control node of this name has been here before"), "\(done.text)")
    #expect(story.cluster.object("Node", "cp-3") == nil)
  }

  /// A backup as `backup` writes it.
  static func save(_ story: Story, version: String) throws {
    let folder = story.scratch.path("saved")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let manifest = """
      {"cluster": "bashupload-app", "datastore": "etcd", "time": "2026-11-01T00:00:00Z", "version": "\(version)",
      "sha256": "4ba69735ca53765ed6a709edb56c6ea236b7193a3b29a6b390c346f0f4340e4e"}
      """
    for (name, text) in [("snapshot", "state"), ("token", "t"), ("agent-token", "a"), ("manifest.json", manifest)] {
      try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }
  }

  /// The way back of an upgrade: nothing runs, the old binary, the state of then, and only then a start.
  @Test func restoreBringsTheK3sOfTheBackupBack() async throws {
    let digest = String(repeating: "b", count: 64)
    let sum = "8cb9b1e25f8fd0c8e1a24c8e7a2ad5f2f0e4b3b6e5f4f4c7c2d9a0b1c2d3e4f5"
    let story = try Self.story(Self.three.replacing(sum, with: digest))
    defer { story.scratch.remove() }
    story.cluster.state.withLock {
      $0.binaries = [digest: "v1.33.5+k3s1", String(repeating: "c", count: 64): "v1.34.2+k3s1"]
    }
    for name in ["cp-1", "cp-2", "cp-3", "edge-1", "edge-2", "edge-3"] {
      story.cluster.change("Node", name) { $0["status"]?["nodeInfo"] = ["kubeletVersion": "v1.34.2+k3s1"] }
    }
    try Self.save(story, version: "v1.32.6+k3s1")
    let other = await story.deploy("restore", "--from", story.scratch.path("saved"), "--yes")
    #expect(
      other.status == 1
        && other.text.contains("cp-1 has k3s v1.34.2+k3s1, and the state is of v1.32.6+k3s1"), "\(other.text)")
    #expect(other.text.contains("write kubernetes.k3s.version: v1.32.6+k3s1"))
    try Self.save(story, version: "v1.33.5+k3s1")
    let before = story.cluster.invocations.count
    let done = await story.deploy("restore", "--from", story.scratch.path("saved"), "--yes")
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("cp-2: stop k3s, bring k3s v1.33.5+k3s1, start nothing"))
    let words = story.cluster.invocations.dropFirst(before).compactMap { call -> String? in
      guard call.program == "ssh", let script = call.input else { return nil }
      let address = call.arguments.first { $0.contains("@") }?.split(separator: ".").last ?? ""
      if script.contains("step 'stop k3s'") {
        #expect(script.contains(digest) && !script.contains("systemctl restart") && !script.contains("systemctl start"))
        return "install \(address)"
      }
      if script.contains("--cluster-reset") { return "restore \(address)" }
      if script.contains("db.before") { return "rejoin \(address)" }
      if script.contains("bring k3s") { return "follow \(address)" }
      return nil
    }
    #expect(
      words == [
        "install 10", "install 14", "install 15", "restore 10", "rejoin 14", "rejoin 15", "follow 11", "follow 12",
        "follow 33",
      ])
    // Once it is there, a restore brings the state alone.
    let again = await story.deploy("restore", "--from", story.scratch.path("saved"), "--yes")
    #expect(again.status == 0 && !again.text.contains("start nothing"), "\(again.text)")
    #expect(!again.text.contains("out of service meanwhile"), "\(again.text)")
    // An earlier one may have ended before the edges.
    story.cluster.change("Node", "edge-2") { $0["status"]?["nodeInfo"] = ["kubeletVersion": "v1.34.2+k3s1"] }
    story.cluster.state.withLock { $0.machines["edge-3"] = nil }
    let rest = await story.deploy("restore", "--from", story.scratch.path("saved"), "--yes")
    #expect(rest.status == 0 && rest.text.contains(". edge-2: the k3s of the control nodes"), "\(rest.text)")
    #expect(!rest.text.contains(". edge-1: the k3s") && !rest.text.contains(". edge-3: the k3s"), "\(rest.text)")
    #expect(story.cluster.object("Node", "edge-2")?.at("status", "nodeInfo", "kubeletVersion") == "v1.33.5+k3s1")
  }
}
