import Ops
import Synchronization
import Testing

/// A node that has left the file.
struct RemoveTests {
  private static func story() async throws -> Story {
    let story = try Story()
    story.cluster.state.withLock { $0.addNode("edge-9", role: "edge") }
    let id = KubernetesObject.Identity(group: "", kind: "Node", namespace: "", name: "edge-9")
    story.cluster.state.withLock {
      $0.objects[id]?["status"]?["addresses"] = [["type": "ExternalIP", "address": "203.0.113.99"]]
      $0.machines["edge-9"] = "203.0.113.99"
    }
    return story
  }

  @Test func doctorKnowsItAndNamesTheWay() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    #expect(
      await story.deploy("doctor").text.contains(
        "edge-9 is in the cluster and not in the cluster file: bashupload deploy remove edge-9"))
  }

  @Test func whatIsInTheFileOrNowhereIsLeftAlone() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    let kept = await story.deploy("remove", "edge-1", "--yes")
    #expect(kept.status == 1 && kept.text.contains("take it out of the file first"), "\(kept.text)")
    let unknown = await story.deploy("remove", "edge-8", "--yes")
    #expect(unknown.status == 1 && unknown.text.contains("no node \"edge-8\" in the cluster"), "\(unknown.text)")
    #expect(await story.deploy("remove").status == 64)
  }

  @Test func itIsEmptiedStoppedAndForgotten() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    let file = try ClusterFile(parsing: Example.text, file: "f")
    story.cluster.state.withLock { state in
      for node in file.nodes { state.machines[node.name] = "\(node.address)" }
    }
    let done = await story.deploy("remove", "edge-9", "--yes")
    #expect(done.text.contains("node/edge-9: k3s and its containers have stopped"), "\(done.text)")
    #expect(done.text.contains("node/edge-9: out of the cluster"), "\(done.text)")
    #expect(story.cluster.object("Node", "edge-9") == nil)
    let calls = story.cluster.invocations
    let words = calls.map { $0.arguments.joined(separator: " ") }
    let cordon = try #require(words.firstIndex { $0.hasPrefix("cordon edge-9") })
    let stop = try #require(
      calls.firstIndex {
        $0.input?.contains("systemctl disable --now") == true && $0.input?.contains("containerd-shim") == true
      })
    #expect(cordon < stop && words[stop].contains("root@203.0.113.99"))
    // The firewalls of the others are looked at after that.
    #expect(calls[stop...].contains { $0.input?.contains("echo facts 1") == true })
  }
}
