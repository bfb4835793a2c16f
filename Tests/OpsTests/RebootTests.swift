import Foundation
import Ops
import Synchronization
import Testing

/// Reboots one at a time, the freeze, certificates in status, and addresses that have changed.
struct RebootTests {
  private static let addresses = [
    "cp-1": "203.0.113.10", "edge-1": "203.0.113.11", "edge-2": "198.51.100.22", "edge-3": "192.0.2.33",
  ]

  private static func story(_ needing: Set<String>, _ text: String = Example.text) throws -> Story {
    let story = try Story(text)
    let file = try ClusterFile(parsing: text, file: "f")
    story.cluster.state.withLock { state in
      state.machines = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, "\($0.address)") })
      state.needsReboot = needing
    }
    return story
  }

  private static func starts(_ story: Story) -> [String: Int] { story.cluster.state.withLock { $0.starts } }

  @Test func theControlNodeThenOneEdgeAfterTheOther() async throws {
    let story = try Self.story(["edge-3", "cp-1", "edge-1"])
    defer { story.scratch.remove() }
    let unasked = await story.deploy("reboot")
    #expect(unasked.status == 1 && unasked.text.contains("! node/cp-1 reboots") && Self.starts(story).isEmpty)
    let done = await story.deploy("reboot", "--yes")
    #expect(done.status == 0 && done.text.contains("no node waits for a reboot any more"), "\(done.text)")
    #expect(Self.starts(story) == ["cp-1": 1, "edge-1": 1, "edge-3": 1])
    let words = story.cluster.invocations.compactMap { call -> String? in
      if call.input?.contains("systemctl --no-block reboot") == true { return "reboot" }
      guard ["cordon", "drain"].contains(call.arguments.first ?? "") else { return nil }
      return call.arguments.prefix(2).joined(separator: " ")
    }
    #expect(
      words == ["reboot", "cordon edge-1", "drain edge-1", "reboot", "cordon edge-3", "drain edge-3", "reboot"])
    for node in ["edge-1", "edge-3"] {
      #expect(story.cluster.object("Node", node)?.at("spec", "unschedulable") == nil)
      #expect(story.cluster.object("Node", node)?.at("metadata", "labels", "bashupload.app/drained") == nil)
    }
    #expect(await story.deploy("reboot", "--yes").text.contains("no node waits for a reboot"))
  }

  @Test func theFirstThatDoesNotComeBackStopsItAndTheNextRunGoesOn() async throws {
    let story = try Self.story(["edge-1", "edge-2"])
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.lost = ["edge-1"] }
    let stopped = await story.deploy("reboot", "--yes")
    #expect(stopped.status == 1 && stopped.text.contains("edge-1: has not started again"), "\(stopped.text)")
    #expect(stopped.text.hasSuffix("; mend that and run the same command again, it goes on from here"))
    #expect(Self.starts(story).isEmpty && story.cluster.object("Lease", "bashupload-deploy") == nil)
    // It is away: nothing else is taken down.
    let frozen = await story.deploy("reboot", "--yes")
    #expect(frozen.status == 1 && Self.starts(story).isEmpty, "\(frozen.text)")
    // Somebody has helped it; it was out of service, and comes back into it.
    story.cluster.state.withLock { state in
      state.lost = []
      state.needsReboot.remove("edge-1")
      state.starts["edge-1"] = 1
    }
    story.cluster.change("Node", "edge-1") {
      $0["status"]?["conditions"] = [["type": "Ready", "status": "True"]]
      $0["status"]?["nodeInfo"]?["bootID"] = "1"
    }
    let done = await story.deploy("reboot", "--yes")
    #expect(done.status == 0 && done.text.contains("edge-1 has been taken out by an earlier run"), "\(done.text)")
    #expect(Self.starts(story) == ["edge-1": 1, "edge-2": 1])
    #expect(story.cluster.object("Node", "edge-1")?.at("spec", "unschedulable") == nil)
  }

  @Test func nothingIsTakenDownWhileTheControlPlaneIsAway() async throws {
    let story = try Self.story(["edge-1"])
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.isServerAway = true }
    for verb in ["reboot", "upgrade"] {
      let done = await story.deploy(verb, "--yes")
      #expect(done.status == 1 && done.text.contains("while the API server does not answer"), "\(done.text)")
    }
    story.cluster.state.withLock { $0.isServerAway = false }
    story.cluster.change("Node", "cp-1") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    for verb in ["reboot", "upgrade"] {
      let done = await story.deploy(verb, "--yes")
      #expect(done.status == 1 && done.text.contains("while cp-1 is not ready"), "\(done.text)")
    }
    #expect(Self.starts(story).isEmpty)
    #expect(!story.cluster.invocations.contains { $0.arguments.first == "cordon" })
  }

  /// What somebody has drained stays so.
  @Test func aDrainedNodeIsRebootedAndStaysOut() async throws {
    let story = try Self.story(["edge-2"])
    defer { story.scratch.remove() }
    #expect(await story.deploy("drain", "edge-2").status == 0)
    #expect(await story.deploy("reboot", "--yes").status == 0)
    #expect(Self.starts(story) == ["edge-2": 1])
    #expect(story.cluster.object("Node", "edge-2")?.at("spec", "unschedulable")?.bool == true)
  }

  @Test func statusShowsCertificatesAndReboots() async throws {
    let story = try Self.story(["edge-2"])
    defer { story.scratch.remove() }
    let now = 1_795_348_800
    story.cluster.state.withLock { state in
      state.facts["cp-1"] = "certificate \(now + 300 * 86_400)\ncertificate \(now + 364 * 86_400)\n"
      state.facts["edge-1"] = "certificate \(now + 79 * 86_400 + 60)\n"
      state.machines["edge-3"] = nil
    }
    let table = await story.run(["status"], withNodes: true)
    #expect(table.status == 0 && table.text.contains("K3S CERTS"), "\(table.text)")
    let lines = table.text.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("cp-1") && $0.contains("300 days") })
    #expect(lines.contains { $0.hasPrefix("edge-2") && $0.hasSuffix("due") })
    #expect(table.text.contains("note: edge-1: its k3s certificates end in 79 days"))
    #expect(table.text.contains("note: edge-2: updates want a reboot: bashupload deploy reboot"))
    #expect(table.text.contains("note: edge-3: certificates and reboots are not known: not reachable"))
    let json = try JSONValue(parsing: await story.run(["status", "--json"], withNodes: true).text)
    let edge = try #require(json["nodes"]?.array.first { $0["name"]?.string == "edge-1" })
    #expect(edge["k3sCertificateEnd"]?.string?.hasSuffix("Z") == true && edge["needsReboot"]?.bool == false)
    #expect(json["notes"]?.array.count == 3)
    // No secret is needed for it, and nobody is asked whom the cluster alone can answer for.
    let before = story.cluster.invocations.filter { $0.program == "ssh" }.count
    #expect(await story.deploy("status").status == 0)
    #expect(story.cluster.invocations.filter { $0.program == "ssh" }.count == before)
  }

  /// The cluster knows where its nodes are; the key of the host is still the one of the address in the file.
  @Test func aChangedAddressIsUsedWithoutEditingTheFile() async throws {
    let text = Example.with("dynamicAddress: { enabled: false", "dynamicAddress: { enabled: true")
    let story = try Self.story([], text)
    defer { story.scratch.remove() }
    story.set("KUBECONFIG", story.scratch.path("kubeconfig"))
    let file = try ClusterFile(parsing: text, file: "f")
    let listed = try #require(file.nodes.first { $0.name == "edge-1" }).address
    story.cluster.state.withLock { $0.machines["edge-1"] = "198.18.0.9" }
    story.cluster.change("Node", "edge-1") {
      $0["status"]?["addresses"] = [["type": "ExternalIP", "address": "198.18.0.9"]]
    }
    let plan = await story.deploy("plan", "--only", "nodes")
    #expect(
      plan.status == 2
        && plan.text.contains("node/edge-1: its public address is 198.18.0.9 now, \(listed) in the file"),
      "\(plan.text)")
    let call = try #require(story.cluster.invocations.first { $0.arguments.contains("root@198.18.0.9") })
    #expect(call.arguments.contains("HostKeyAlias=\(listed)"))
    // A cluster that does not answer: the file's addresses, and a word about it.
    story.cluster.state.withLock { $0.isServerAway = true }
    let without = await story.deploy("plan", "--only", "nodes")
    #expect(without.text.contains("the addresses of the file are used"), "\(without.text)")
  }
}
