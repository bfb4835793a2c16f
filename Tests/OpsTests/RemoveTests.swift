import Ops
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
    #expect(await story.deploy("doctor").text.contains("edge-9 is in the cluster and not in the cluster file: bashupload deploy remove edge-9"))
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
}
