import Foundation
import Ops
import Synchronization
import Testing

/// drain, undrain, and from one k3s to the next.
struct UpgradeTests {
  private static let digest = String(repeating: "a", count: 64)

  private static func file(_ version: String) -> String {
    Example.with(
      "{ version: v1.33.5+k3s1, sha256: { amd64: \"8cb9b1e25f8fd0c8e1a24c8e7a2ad5f2f0e4b3b6e5f4f4c7c2d9a0b1c2d3e4f5\" } }",
      "{ version: \(version), sha256: { amd64: \"\(digest)\" } }")
  }

  private static func story(_ version: String) throws -> Story {
    let story = try Story(file(version))
    let file = try ClusterFile(parsing: Self.file(version), file: "f")
    story.cluster.state.withLock { state in
      state.machines = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, "\($0.address)") })
      state.binaries = [digest: version, String(repeating: "b", count: 64): "v1.33.5+k3s1"]
    }
    return story
  }

  private static func version(_ story: Story, _ node: String) -> String? {
    story.cluster.object("Node", node)?.at("status", "nodeInfo", "kubeletVersion")?.string
  }

  @Test(arguments: [
    ("v1.33.5+k3s1", "v1.33.5+k3s1", ""), ("v1.33.5+k3s1", "v1.33.9+k3s2", "cp-1 edge-1 edge-2 edge-3"),
    ("v1.33.5+k3s1", "v1.34.0+k3s1", "cp-1 edge-1 edge-2 edge-3"),
    ("v1.33.5+k3s1", "v1.35.0+k3s1", "one minor version at a time, so first to a v1.34"),
    ("v1.33.5+k3s1", "v1.33.4+k3s1", "k3s does not go back"),
    ("v1.33.5+k3s1", "v2.0.0+k3s1", "one minor version at a time"),
    ("", "v1.33.5+k3s1", "cp-1 is not in the cluster"),
  ])
  func theOrderAndWhatIsRefused(_ from: String, _ to: String, _ expected: String) throws {
    let file = try ClusterFile(parsing: Self.file(to), file: "f")
    let versions = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, from) })
    do {
      #expect(try UpgradePlan(file, versions: versions).nodes.map(\.name).joined(separator: " ") == expected)
    } catch {
      #expect(error.description.contains(expected) && !expected.isEmpty, "\(error)")
    }
  }

  /// An interrupted one goes on where it stopped.
  @Test func whatHasItAlreadyIsLeftAlone() throws {
    let file = try ClusterFile(parsing: Self.file("v1.34.0+k3s1"), file: "f")
    let versions = [
      "cp-1": "v1.34.0+k3s1", "edge-1": "v1.34.0+k3s1", "edge-2": "v1.33.5+k3s1", "edge-3": "v1.33.5+k3s1",
    ]
    #expect(try UpgradePlan(file, versions: versions).nodes.map(\.name) == ["edge-2", "edge-3"])
  }

  @Test func oneAfterTheOtherAndEachIsProven() async throws {
    let story = try Self.story("v1.34.2+k3s1")
    defer { story.scratch.remove() }
    let done = await story.deploy("upgrade", "--yes")
    #expect(done.status == 0, "\(done.text)")
    for node in ["cp-1", "edge-1", "edge-2", "edge-3"] { #expect(Self.version(story, node) == "v1.34.2+k3s1") }
    let calls = story.cluster.invocations
    let words = calls.compactMap { call in
      ["cordon", "drain", "uncordon"].contains(call.arguments.first ?? "")
        ? call.arguments.prefix(2).joined(separator: " ") : nil
    }
    #expect(words == ["edge-1", "edge-2", "edge-3"].flatMap { ["cordon \($0)", "drain \($0)", "uncordon \($0)"] })
    #expect(
      story.cluster.object("Node", "edge-1")?.at("metadata", "labels")?.members.keys.sorted() == ["bashupload.app/role"]
    )
    // The snapshot comes before anything is changed, and the control plane before the edges.
    let snapshot = calls.firstIndex { $0.input?.contains("k3s etcd-snapshot save") == true }
    let changes = calls.indices.filter { calls[$0].input?.contains("step 'bring k3s'") == true }
    #expect(try #require(snapshot) < changes[0] && calls[changes[0]].arguments.contains("root@203.0.113.10"))
    #expect(changes.count == 4)
    #expect(await story.deploy("upgrade", "--yes").text.contains("every node has v1.34.2+k3s1"))
  }

  @Test func anEdgeThatDoesNotServeAfterwardsStopsIt() async throws {
    let story = try Self.story("v1.34.2+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.deadEdges = ["203.0.113.11"] }
    let done = await story.deploy("upgrade", "--yes")
    #expect(done.status == 1 && done.text.contains("edge-1 serves: curl: (7) Failed to connect"), "\(done.text)")
    #expect(Self.version(story, "edge-1") == "v1.34.2+k3s1" && Self.version(story, "edge-2") == "v1.33.5+k3s1")
    #expect(story.cluster.object("Node", "edge-1")?.at("spec", "unschedulable")?.bool == true)
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
  }

  @Test func whatAnEndedRunHasTakenOutComesBackAndWhatSomebodyHasTakenOutDoesNot() async throws {
    let story = try Self.story("v1.34.2+k3s1")
    defer { story.scratch.remove() }
    #expect(await story.deploy("drain", "edge-3").status == 0)
    story.cluster.state.withLock { $0.deadEdges = ["203.0.113.11"] }
    #expect(await story.deploy("upgrade", "--yes").status == 1)
    story.cluster.state.withLock { $0.deadEdges = [] }
    let done = await story.deploy("upgrade", "--yes")
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("! node/edge-1 has been taken out by an earlier run: back into service"))
    func isOut(_ node: String) -> Bool {
      story.cluster.object("Node", node)?.at("spec", "unschedulable")?.bool == true
    }
    #expect(["edge-1", "edge-2", "edge-3"].map(isOut) == [false, false, true])
    #expect(Self.version(story, "edge-3") == "v1.34.2+k3s1", "out of service, and upgraded")
    #expect(await story.deploy("upgrade", "--yes").text == "every node has v1.34.2+k3s1")
  }

  /// apply does all nodes at once, which is not how a version is changed.
  @Test func applyLeavesAnotherVersionAlone() async throws {
    let story = try Self.story("v1.34.2+k3s1")
    defer { story.scratch.remove() }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.text.contains("note: node/edge-1: another k3s than the file's is there: bashupload deploy upgrade"))
    #expect(!plan.text.contains("/usr/local/bin/k3s (sha256"))
  }

  /// Nodes, the kubeconfig, labels, and what runs on them.
  @Test func fromServersToAServiceInOneCommand() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.set("HOME", story.scratch.path("home"))
    story.cluster.change("Node", "edge-2") { $0["metadata"]?["labels"] = [:] }
    let done = await story.run(["apply", "--yes"], withNodes: true)
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("node/edge-3: done") && done.text.contains("ok   edge-2: certificate, upload"))
    // The first snapshot is the proof that there will be others; from then on nobody asks the node for one.
    func snapshots() -> Int {
      story.cluster.invocations.count { $0.input?.contains("k3s etcd-snapshot save --name first-") == true }
    }
    #expect(done.text.contains("snapshot in the bucket: done") && snapshots() == 1)
    _ = await story.run(["apply", "--yes"], withNodes: true)
    #expect(snapshots() == 1)
    let labels = story.cluster.object("Node", "edge-2")?.at("metadata", "labels")
    #expect(
      labels?["bashupload.app/role"]?.string == "edge" && labels?["bashupload.app/provider"]?.string == "lightsail")
    let path = story.scratch.path("home/.kube/bashupload-bashupload-app")
    let kept = try #require(FileManager.default.contents(atPath: path))
    #expect(String(decoding: kept, as: UTF8.self).contains("https://203.0.113.10:6443"))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600 && !story.everythingPrinted.contains("planted-kubeconfig"))
    // kubectl is asked with it, at once and afterwards; never some other cluster.
    let calls = story.cluster.invocations.filter { $0.program == "kubectl" && $0.arguments.first != "kustomize" }
    #expect(!calls.isEmpty && calls.allSatisfy { $0.environment["KUBECONFIG"] == path || $0.arguments.contains("-") })
    _ = await story.deploy("status")
    #expect(story.cluster.invocations.last?.environment["KUBECONFIG"] == path)
    for secret in Story.planted.values { #expect(!story.everythingPrinted.contains(secret)) }
    for call in story.cluster.invocations { #expect(!Story.planted.values.contains { call.line.contains($0) }) }
  }

  @Test func aBucketThatTakesNoSnapshotsIsTold() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.complaintOfSnapshots = "The specified bucket does not exist" }
    let told = await story.run(["apply", "--yes"], withNodes: true)
    #expect(told.status == 1 && told.text.contains("ok   edge-2"), "\(told.text)")
    #expect(told.text.contains("snapshot in the bucket: The specified bucket does not exist"))
    #expect(told.text.contains("do not reach the bucket bashupload-snapshots: it has to be there"))
    story.cluster.state.withLock { $0.complaintOfSnapshots = nil }
    #expect(await story.run(["apply", "--yes"], withNodes: true).status == 0)
  }

  /// k3s sets labels and taints once, when a node joins. What the file says later, and no longer says, is kept right.
  @Test func labelsAndTaintsFollowTheFile() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    let more =
      "{ name: edge-1, labels: { example.org/disk: ssd, node-role.kubernetes.io/edge: \"\" }, taints: [dedicated=x:NoSchedule], "
    let text = Example.with("{ name: edge-1, ", more)
    story.cluster.change("Node", "edge-1") {
      $0["spec"] = ["taints": [["key": "theirs", "value": "", "effect": "NoExecute"]]]
      $0["metadata"]?["labels"]?["theirs"] = "1"
    }
    try story.write(text)
    let plan = await story.run(["plan"], withNodes: true)
    #expect(plan.status == 2 && plan.text.contains("~ node/edge-1 label example.org/disk: none -> ssd"), "\(plan.text)")
    #expect(plan.text.contains("~ node/edge-1 taint dedicated=x:NoSchedule"))
    #expect(await story.run(["apply", "--yes", "--no-verify"], withNodes: true).status == 0)
    var node = try #require(story.cluster.object("Node", "edge-1"))
    #expect(node.at("metadata", "labels", "example.org/disk")?.string == "ssd")
    #expect(node.at("metadata", "labels", "node-role.kubernetes.io/edge") != nil)
    #expect(node.at("spec", "taints")?.array.compactMap { $0["key"]?.string } == ["theirs", "dedicated"])
    let file = try ClusterFile(parsing: text, file: "f")
    let spec = try #require(file.nodes.first { $0.name == "edge-1" })
    let settings = try #require(
      NodeTree(spec, of: file, facts: KnownFacts()).entries.first { $0.file.path == "/etc/rancher/k3s/config.yaml" })
    // A kubelet that wants to give itself the second one does not start.
    #expect(
      settings.file.text.contains("example.org/disk=ssd")
        && !settings.file.text.contains("node-role.kubernetes.io/edge"))
    let before = story.cluster.invocations.count
    #expect(await story.run(["apply", "--yes", "--no-verify"], withNodes: true).text.contains("nothing to change"))
    let changes = story.cluster.invocations.dropFirst(before).filter {
      ["label", "taint", "annotate"].contains($0.arguments.first ?? "")
    }
    #expect(changes.isEmpty)
    try story.write(Example.text)
    #expect(await story.run(["plan"], withNodes: true).text.contains("- node/edge-1 taint dedicated:NoSchedule"))
    #expect(await story.run(["apply", "--yes", "--no-verify"], withNodes: true).status == 0)
    node = try #require(story.cluster.object("Node", "edge-1"))
    #expect(node.at("metadata", "labels", "example.org/disk") == nil)
    #expect(node.at("metadata", "labels", "theirs")?.string == "1")
    #expect(node.at("spec", "taints")?.array.compactMap { $0["key"]?.string } == ["theirs"])
  }

  /// k3s knows every node by a password that the machine has made.
  @Test func aMachineThatWasBuiltAnewIsLetIn() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      state.rejected = ["edge-2"]
      state.journals = [
        "edge-2":
          "Waiting to retrieve agent configuration; server is not ready: Node password rejected, duplicate hostname\n"
      ]
    }
    story.cluster.change("Node", "edge-2") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    let done = await story.run(["apply", "--yes"], withNodes: true)
    #expect(done.status == 0 && done.text.contains("node/edge-2: a machine of this name has been here"), "\(done.text)")
    let deleted = story.cluster.invocations.filter {
      $0.arguments.first == "delete" && $0.input?.contains("node-password.k3s") == true
    }
    #expect(deleted.count == 1 && deleted[0].input?.contains("edge-2.node-password.k3s") == true)
  }

  @Test func aNodeThatDoesNotJoinTellsWhy() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.journals = ["edge-2": "level=fatal msg=\"no default routes found\"\n"] }
    story.cluster.change("Node", "edge-2") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    let done = await story.run(["apply", "--yes", "--timeout", "60s"], withNodes: true)
    #expect(done.status == 1 && done.text.contains("node/edge-2 | level=fatal msg=\"no default routes"), "\(done.text)")
    #expect(done.text.contains("nodes: edge-2 not ready") && done.text.contains("run apply again"))
    #expect(!story.cluster.invocations.contains { $0.arguments.first == "delete" })
  }

  @Test func settingsOfSomebodyElseAreTold() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock {
      $0.facts = [
        "cp-1":
          "settings /etc/rancher/k3s/config.yaml.d/50-snapshots.yaml\nsettings /etc/rancher/k3s/config.yaml.d/mine.yaml\n"
      ]
    }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.text.contains("note: node/cp-1: /etc/rancher/k3s/config.yaml.d/mine.yaml is not ours"), "\(plan.text)")
    #expect(!plan.text.contains("50-snapshots.yaml is not ours"))
  }

  /// One that does not answer is named; what can be done without it is done.
  @Test func aServerThatIsAwayIsNamed() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.machines["edge-3"] = nil }
    let done = await story.run(["apply", "--yes", "--no-verify"], withNodes: true)
    #expect(
      done.status == 1 && done.text.contains("node/edge-3: not reachable: ssh: connect to host: No route to host"))
    #expect(
      done.text.contains("not as they should be: edge-3; all others are") && done.text.contains("node/edge-1: done"))
    #expect(story.cluster.object("DaemonSet", "bashupload") != nil)
    story.cluster.state.withLock { $0.machines["cp-1"] = nil }
    let without = await story.run(["apply", "--yes"], withNodes: true)
    #expect(without.status == 1 && without.text.contains("cp-1 is not as it should be"))
  }

  @Test func outOfServiceAndBack() async throws {
    let story = try Self.story("v1.33.5+k3s1")
    defer { story.scratch.remove() }
    let out = await story.deploy("drain", "edge-2")
    #expect(out.status == 0 && out.text.contains("bashupload deploy undrain edge-2"), "\(out.text)")
    #expect(out.text.contains("records are not managed yet"))
    let labels = story.cluster.object("Node", "edge-2")?.at("metadata", "labels")
    #expect(labels?["bashupload.app/drained"]?.string == "true")
    #expect(await story.deploy("undrain", "edge-2").status == 0)
    #expect(story.cluster.object("Node", "edge-2")?.at("spec", "unschedulable") == nil)
    #expect(story.cluster.object("Node", "edge-2")?.at("metadata", "labels", "bashupload.app/drained") == nil)
    // In parts of ten minutes: the lock would grow too old, and a part that reaches its time is not the end.
    story.cluster.state.withLock { $0.slowDrains = 2 }
    #expect(await story.deploy("drain", "edge-2", "--timeout", "1h").status == 0)
    let parts = story.cluster.invocations.filter { $0.arguments.first == "drain" }.suffix(3)
    #expect(parts.allSatisfy { $0.arguments.contains("--timeout=600s") } && parts.count == 3)
    story.cluster.state.withLock { $0.slowDrains = 1 }
    #expect(await story.deploy("drain", "edge-2", "--timeout", "10m").text.contains("global timeout reached"))
    let wrong = await story.deploy("drain", "edge2")
    #expect(wrong.status == 1 && wrong.text.contains("did you mean edge-2?"))
    #expect(await story.deploy("drain").status == 64)
  }
}
