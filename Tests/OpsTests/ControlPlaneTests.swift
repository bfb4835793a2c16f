import Foundation
import Ops
import Synchronization
import Testing

/// Three control nodes: what could take their majority away, and what they keep.
struct ControlPlaneTests {
  private typealias Nodes = NodeSafetyTests
  private static let member = "member\ndual-stack no\n"
  private static let stopped = "unit k3s.service inactive enabled\n" + member

  /// All of them run as members of etcd, and the operator has a kubeconfig.
  private static func story(_ text: String = Nodes.three, fresh: Set<String> = []) throws -> Story {
    let story = try Nodes.story(text, fresh: fresh)
    story.set("KUBECONFIG", "/somewhere")
    story.cluster.state.withLock { state in
      for name in ["cp-1", "cp-2", "cp-3"] where !fresh.contains(name) { state.facts[name]? += member }
    }
    return story
  }

  /// Addresses of the control nodes whose k3s was restarted, in this order.
  private static func restarts(_ story: Story) -> [String] {
    story.cluster.invocations.compactMap { call in
      call.program == "ssh" && call.input?.contains("systemctl restart k3s.service") == true
        ? call.arguments.first { $0.contains("@") }?.split(separator: ".").last.map(String.init) : nil
    }
  }

  @Test func oneThatDoesNotRunIsStartedBeforeAnotherIsRestarted() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.facts["cp-3"] = Self.stopped }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    #expect(Self.restarts(story) == ["15", "10", "14"])
  }

  @Test func whileOneDoesNotStartTheOthersAreLeftAlone() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      state.facts["cp-3"] = Self.stopped
      state.duplicates = ["cp-3"]
    }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(
      done.status == 1 && done.text.contains("node/cp-1: left alone: cp-3 is not as it should be"), "\(done.text)")
    #expect(done.text.contains("node/cp-2: left alone") && Self.restarts(story) == ["15"])
    // It has been started by nobody in a run that is about another one.
    let one = await story.deploy("apply", "--yes", "--only", "node/cp-2")
    #expect(one.status == 1 && one.text.contains("node/cp-2: left alone: cp-3 is not"), "\(one.text)")
    #expect(Self.restarts(story) == ["15"])
  }

  /// Two of three wait for one another: none is ready before both have been started.
  @Test func thoseThatDoNotRunAreStartedTogether() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      for name in ["cp-1", "cp-2"] { state.facts[name] = Self.stopped }
      state.waitingForQuorum = ["cp-1", "cp-2"]
    }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    #expect(Set(Self.restarts(story).prefix(2)) == ["10", "14"] && Self.restarts(story).last == "15")
  }

  /// Two operators would restart two at once.
  @Test func nodesAreChangedUnderTheLock() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.addLease("eve@laptop/1")
    for words in [["apply", "--only", "nodes"], ["rotate", "servers"], ["rotate"]] {
      let done = await story.run(words + ["--yes"])
      #expect(done.status == 1 && done.text.contains("eve@laptop is deploying since"), "\(done.text)")
      #expect(Nodes.scripts(story).isEmpty, "\(words)")
    }
    story.cluster.remove("Lease", "bashupload-deploy")
    let before = story.cluster.invocations.count
    #expect(await story.deploy("apply", "--yes", "--only", "nodes").status == 0)
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
    // Whoever was at work until then may have left something else behind: everybody is asked once more.
    let calls = story.cluster.invocations.dropFirst(before)
    let taken = try #require(calls.firstIndex { $0.arguments.first == "create" })
    let questions = calls.indices.filter { calls[$0].input?.contains("echo facts 1") == true }
    #expect(questions.count == 12 && questions.filter { $0 < taken }.count == 6)
  }

  @Test func aClusterThatDoesNotAnswerKeepsNobodyFromMendingIt() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.isServerAway = true }
    let done = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(done.status == 0, "\(done.text)")
    #expect(done.text.contains("where the cluster does not answer, nobody is kept from deploying at the same time"))
  }

  @Test(arguments: [
    ("etcd 10.0.0.10\n", ""), ("etcd 203.0.113.10\n", "cp-1 is a member of etcd with the address 203.0.113.10"),
    ("", ""),
  ])
  func aMemberKeepsItsAddress(_ facts: String, _ says: String) async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.facts["cp-1", default: ""] += facts }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == (says.isEmpty ? 2 : 1), "\(plan.text)")
    if says.isEmpty { return }
    #expect(plan.text.contains(says))
    #expect(plan.text.contains("and the file gives it 10.0.0.10") && plan.text.contains("build the server anew"))
    #expect(await story.deploy("apply", "--yes", "--only", "node/cp-1").status == 1 && Nodes.scripts(story).isEmpty)
    #expect(await story.deploy("plan", "--only", "node/edge-1").status == 2, "it is not about edges")
  }

  /// The only one, whose address was never in the file, and then was, and then is not.
  @Test(arguments: [
    ("etcd 10.0.0.4\n", true), ("node-ip 10.0.0.4\netcd 10.0.0.4\n", false),
    ("node-ip 203.0.113.10\netcd 203.0.113.10\n", true),
  ])
  func anAddressThatTheFileDoesNotGiveIsThatOfTheDefaultRoute(_ facts: String, _ isGood: Bool) async throws {
    let story = try Nodes.story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.facts["cp-1", default: ""] += Self.member + facts }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == (isGood ? 2 : 1), "\(plan.text)")
    #expect(isGood || plan.text.contains("the file gives it that of its default route"))
    #expect(isGood || plan.text.contains("bashupload deploy backup, build the server anew"))
  }

  @Test func aControlNodeThatTheFileHasForgottenStaysAMember() async throws {
    let story = try Self.story(
      Nodes.three.split(separator: "\n").filter { !$0.contains("name: cp-2") && !$0.contains("name: cp-3") }.joined(
        separator: "\n"))
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.addNode("cp-3", role: "control") }
    story.cluster.change("Node", "cp-3") { node in
      node["metadata"]?["labels"]?["node-role.kubernetes.io/etcd"] = "true"
    }
    for words in [["plan"], ["apply", "--yes"]] {
      let done = await story.run(words + ["--only", "nodes"])
      #expect(done.status == 1 && done.text.contains("cp-3 is a control node of this cluster and not of the file"))
      #expect(done.text.contains("kubectl delete node cp-3") && Nodes.scripts(story).isEmpty, "\(done.text)")
    }
    // One that is gone keeps nobody from going on.
    story.cluster.change("Node", "cp-3") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == 2 && plan.text.contains("note: cp-3 is no control node of the file and does not answer"))
  }

  /// A kubelet is never newer than the API server.
  @Test func aNewNodeGetsNoNewerK3sThanTheControlPlaneHas() async throws {
    let story = try Self.story(fresh: ["edge-1"])
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      state.facts["cp-2", default: ""] += "k3s v1.32.9+k3s1\n"
      state.bare = ["edge-1"]
    }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(plan.status == 1, "\(plan.text)")
    #expect(
      plan.text.contains(
        "x node/edge-1: it has no k3s yet, and cp-2 has v1.32.9+k3s1, not v1.33.5+k3s1 of the file: write"))
    #expect(!plan.text.contains("x node/edge-2"), "what is there is upgrade's")
    story.cluster.state.withLock { $0.facts["cp-2"] = Nodes.running + "k3s v1.33.5+k3s1\n" }
    #expect(await story.deploy("plan", "--only", "nodes").status == 2)
  }

  // MARK: restore

  private static func restore(_ story: Story, _ words: String...) async -> (status: Int32, text: String) {
    await story.run(["restore", "--from", story.scratch.path("saved"), "--yes"] + words)
  }

  /// Addresses that got a script with these words.
  private static func told(_ story: Story, _ words: String) -> [String] {
    story.cluster.invocations.compactMap { call in
      call.program == "ssh" && call.input?.contains(words) == true
        ? call.arguments.first { $0.contains("@") }?.split(separator: ".").last.map(String.init) : nil
    }
  }

  @Test func aRestoreThatCannotBeginStopsNobody() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    try Nodes.save(story, version: "v1.33.5+k3s1")
    story.cluster.state.withLock { $0.takeSnapshot("etcd-snapshot-cp-1-1795348800") }
    let typo = await Self.restore(story, "--snapshot", "etcd-snapshot-cp-1-179534880")
    #expect(typo.status == 1 && typo.text.contains("has none of this name"), "\(typo.text)")
    #expect(typo.text.contains("etcd-snapshot-cp-1-1795348800"))
    story.cluster.state.withLock { $0.machines["cp-3"] = nil }
    for words in [[], ["--snapshot", "etcd-snapshot-cp-1-1795348800"]] {
      let done = await story.run(["restore", "--from", story.scratch.path("saved"), "--yes"] + words)
      #expect(done.status == 1 && done.text.contains("not reachable"), "\(done.text)")
    }
    story.cluster.state.withLock { $0.machines["cp-3"] = "203.0.113.15" }
    story.cluster.addLease("eve@laptop/1")
    #expect(await Self.restore(story).text.contains("eve@laptop is deploying since"))
    #expect(Self.told(story, "systemctl stop k3s.service").isEmpty)
  }

  @Test func aRestoreThatK3sRefusesLeavesEverybodyRunning() async throws {
    let story = try Self.story()
    defer { story.scratch.remove() }
    try Nodes.save(story, version: "v1.33.5+k3s1")
    story.cluster.state.withLock { $0.complaintOfRestore = "k3s could not take the snapshot" }
    let failed = await Self.restore(story)
    #expect(failed.status == 1 && failed.text.contains("cp-3: k3s goes on with what it had"), "\(failed.text)")
    #expect(Self.told(story, "systemctl start --no-block k3s.service\n}") == ["14", "15"])
    // Nobody knows how far the first one is: two clusters of one name would be worse.
    story.cluster.state.withLock { state in
      state.complaintOfRestore = nil
      state.isCutOffInRestore = true
    }
    let cut = await Self.restore(story)
    #expect(
      cut.status == 1 && cut.text.contains("the restore has not ended; k3s stays stopped on cp-2, cp-3"), "\(cut.text)")
    #expect(Self.told(story, "systemctl start --no-block k3s.service\n}") == ["14", "15"])
    // Nobody starts the others with what they have: two of them would be the old cluster.
    story.cluster.state.withLock { state in
      state.isCutOffInRestore = false
      state.facts["cp-3", default: ""] += "restoring\n"
    }
    let apply = await story.deploy("apply", "--yes", "--only", "nodes")
    #expect(apply.status == 1 && apply.text.hasPrefix("a restore has begun on cp-3 and not ended"), "\(apply.text)")
    #expect(Self.restarts(story).isEmpty)
    let done = await Self.restore(story)
    #expect(done.status == 0, "\(done.text)")
    // The others come with the token that the first one has then.
    let token = Data("planted-token-8".utf8).base64EncodedString()
    #expect(Self.told(story, "printf %s '\(token)' | base64 -d >/etc/rancher/k3s/token.") == ["14", "15"])
  }

  // MARK: kubectl

  /// Its certificate lives a year, and k3s makes a new one when it starts.
  @Test func theKubeconfigIsTakenAgainWhenItIsAnother() async throws {
    let story = try Nodes.story(Nodes.three)
    defer { story.scratch.remove() }
    story.set("HOME", story.scratch.path("home"))
    let path = story.scratch.path("home/.kube/bashupload-bashupload-app")
    func have(_ digest: String) {
      story.cluster.state.withLock {
        $0.facts["cp-1"] = Nodes.running + "sum \(digest) /etc/rancher/k3s/k3s.yaml\n"
      }
    }
    func fetched() -> Int { Self.told(story, "base64 -w 0 /etc/rancher/k3s/k3s.yaml").count }
    func apply() async -> String { await story.run(["apply", "--yes"], withNodes: true).text }
    have(FakeCluster.kubeconfigDigest)
    #expect(await apply().contains("\(path): the administrator's kubeconfig"))
    #expect(await !apply().contains(path) && fetched() == 1)
    have(String(repeating: "3", count: 64))
    #expect(await apply().contains("\(path): the kubeconfig of cp-1 as it is now") && fetched() == 2)
    // A KUBECONFIG of the operator's own is left alone.
    story.set("KUBECONFIG", "/somewhere")
    have(String(repeating: "4", count: 64))
    _ = await apply()
    #expect(fetched() == 2)
  }

  @Test func whileTheFirstControlNodeIsAwayTheOthersAreAsked() async throws {
    let story = try Nodes.story(Nodes.three)
    defer { story.scratch.remove() }
    story.set("HOME", story.scratch.path("home"))
    #expect(await story.run(["apply", "--yes"], withNodes: true).status == 0)
    story.cluster.state.withLock { $0.serversAway = ["https://203.0.113.10:6443"] }
    let before = story.cluster.invocations.count
    let status = await story.deploy("status")
    #expect(status.text.contains("cp-2"), "\(status.text)")
    let calls = story.cluster.invocations.dropFirst(before).filter { $0.program == "kubectl" }
    #expect(calls.count { !$0.arguments.contains("--server=https://203.0.113.14:6443") } == 2, "found once")
    story.cluster.state.withLock {
      $0.serversAway.formUnion(["https://203.0.113.14:6443", "https://203.0.113.15:6443"])
    }
    #expect(await story.deploy("status").text.contains("connection refused"))
  }
}
