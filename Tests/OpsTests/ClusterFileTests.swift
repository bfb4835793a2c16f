import Testing
import UploadCore

import Ops

struct ClusterFileTests {
  @Test func theExampleIsValidAndComplete() throws {
    let file = try ClusterFile(parsing: Example.text, file: "bashupload.yaml")
    #expect(file.cluster == "bashupload-app")
    #expect(file.policy == UploadPolicy())
    #expect(file.nodes.map(\.name) == ["cp-1", "edge-1", "edge-2", "edge-3"])
    #expect(file.nodes[2].isSpot)
    #expect(file.nodes[1].traffic?.allowance == ByteCount(2_000_000_000_000))
    #expect(file.nodes[3].address6?.description == "2001:db8::33")
    #expect(file.storage.accessKeyID == .environment("R2_ACCESS_KEY_ID"))
    #expect(file.features.enabled == [.monitoring, .quota, .audit, .spot])
    #expect(file.ingress.staticFiles.map(\.key) == ["/servads.txt"])
    #expect(file.access.jumpHost == nil)
    #expect(file.dns?.ttl == 60)
    #expect(file.kubernetes.version == "v1.33.5+k3s1")
    #expect(file.certificates.issuer == .letsEncrypt)
  }

  @Test func whatInitWritesIsValid() throws {
    let text = StarterFile.text(["domain": "files.example.org"])
    let file = try ClusterFile(parsing: text, file: "bashupload.yaml")
    #expect(file.domain == "files.example.org")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 140 })
    // Every key is named, and every manual is the comment of its key.
    for path in Schema.paths where !path.hasSuffix(".enabled") || path.hasPrefix("policy") {
      let name = path.split(separator: ".").last.map(String.init) ?? path
      #expect(text.contains(name), "init does not name \(path)")
      let words = Schema.key(at: path)?.manual.split(separator: " ").prefix(3).joined(separator: " ") ?? ""
      #expect(text.contains(words), "init does not explain \(path)")
    }
  }

  @Test func everyKeyHasAPage() {
    for path in Schema.paths {
      let page = Manual.page(path) ?? ""
      #expect(page.hasPrefix(path), "no page for \(path)")
    }
    for topic in Topics.all { #expect(Manual.page(topic.name)?.hasPrefix(topic.name) == true) }
    #expect(Manual.page("nodes.rolle") == nil)
    #expect(Manual.hint("nodes.rolle") == "did you mean nodes.role?")
    #expect(Manual.hint("maxAge") == "did you mean policy.maxAge?")
    #expect(Manual.list.contains("  policy.maxAge "))
  }
}
