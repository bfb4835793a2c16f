import Foundation
import Ops
import Testing
import UploadCore

/// `make golden` (UPDATE_GOLDEN=1) writes the golden folders anew; the difference is the review.
struct RenderTests {
  static let examples = ["one-node", "three-edges", "everything", "first-document", "private-network"]

  static func file(_ name: String) throws -> ClusterFile {
    try ClusterFile(parsing: Example.fixture("\(name).yaml"), file: "\(name).yaml")
  }

  @Test(arguments: examples)
  func theOverlayIsTheGoldenOne(_ name: String) throws {
    let files = Overlay(try Self.file(name)).files
    let golden = Example.folder.appending(path: "Golden").appending(path: name)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try? FileManager.default.removeItem(at: golden)
      for file in files {
        let url = golden.appending(path: file.path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: url)
      }
    }
    let paths = FileManager.default.enumerator(atPath: golden.path)?.compactMap { $0 as? String } ?? []
    let recorded = paths.filter { !golden.appending(path: $0).hasDirectoryPath && $0.contains(".") }
    #expect(Set(recorded) == Set(files.map(\.path)))
    for file in files {
      let text = try? String(contentsOf: golden.appending(path: file.path), encoding: .utf8)
      #expect(text == file.text, "\(name)/\(file.path)")
    }
  }

  /// The tree in the executable is the tree in the repository.
  @Test func theEmbeddedTreeIsTheOneOfTheRepository() throws {
    let tree = Example.folder.appending(path: "../../deploy/kubernetes").standardizedFileURL
    var found: [String: String] = [:]
    for path in FileManager.default.enumerator(atPath: tree.path)?.compactMap({ $0 as? String }) ?? [] {
      var isFolder: ObjCBool = false
      let url = tree.appending(path: path)
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      let folders = path.split(separator: "/").dropLast()
      if isFolder.boolValue || path.hasSuffix("README.md") || folders.contains("overlays") || folders.contains("tests")
      {
        continue
      }
      found[path] = try String(contentsOf: url, encoding: .utf8)
    }
    #expect(KubernetesTree.files.keys.sorted() == found.keys.sorted(), "run scripts/embed-kubernetes")
    for (path, text) in found { #expect(KubernetesTree.files[path] == text, "\(path): run scripts/embed-kubernetes") }
  }

  @Test(arguments: examples)
  func kubectlBuildsIt(_ name: String) async throws {
    let scratch = try Scratch()
    defer { scratch.remove() }
    try OutputFolder(scratch.path("out")).replace(with: try Rendering(try Self.file(name)).files)
    let objects = try await Kubectl(BuiltTrees.shared).kustomize(scratch.path("out/kubernetes"))
    let file = try Self.file(name)
    #expect(Set(objects.map(\.identity)).count == objects.count)
    #expect(objects.allSatisfy { !$0.kind.isEmpty && !$0.name.isEmpty })
    #expect(objects.allSatisfy { $0.kind != "Secret" })
    #expect(
      objects.allSatisfy {
        $0.value.at("metadata", "labels", "bashupload.app/cluster")?.string == file.cluster
      })
    let daemonSet = try #require(objects.first { $0.kind == "DaemonSet" && $0.name == "bashupload" })
    let containers = daemonSet.value.at("spec", "template", "spec", "containers")?.array ?? []
    let app = try #require(containers.first { $0["name"]?.string == "bashupload" })
    #expect(app["image"]?.string == file.image.description)
    #expect(containers.count == (file.ingress.tls == .nginx ? 2 : 1))
    let settings = try #require(
      objects.first {
        $0.kind == "ConfigMap" && $0.name.hasPrefix("bashupload-") && $0.value.at("data", "MAX_AGE") != nil
      })
    #expect(settings.value.at("data", "MAX_AGE")?.string == String(file.policy.maxAge))
    #expect(settings.value.at("data", "NO_CLEANUP")?.string == "true")
    #expect(app["envFrom"]?.array.first?.at("configMapRef", "name")?.string == settings.name)
    // Exactly one cleaner.
    #expect(objects.filter { $0.kind == "CronJob" }.count == 1)
  }

  /// Names that YAML reads as numbers, truths and nothing are names all the same.
  @Test(arguments: ["1234", "true", "on", "y", "1e3", "0x1f", "null"])
  func namesStayNames(_ name: String) async throws {
    let scratch = try Scratch()
    defer { scratch.remove() }
    let text = Example.with("cluster: bashupload-app", "cluster: \"\(name)\"").replacing(
      "image: registry.example.org/bashupload@", with: "image: \(name)@"
    ).replacing("issuer: letsencrypt ", with: "issuer: { secret: \"\(name)\" } ").replacing(
      "  email: ops@example.org\n", with: ""
    ).replacing("  dns01: { cloudflare: { apiToken: { fromEnv: CLOUDFLARE_CERT_TOKEN } } }\n", with: "")
    let file = try ClusterFile(parsing: text, file: "f")
    try OutputFolder(scratch.path("out")).replace(with: try Rendering(file).files)
    let objects = try await Kubectl(BuiltTrees.shared).kustomize(scratch.path("out/kubernetes"))
    #expect(objects.allSatisfy { $0.value.at("metadata", "labels", "bashupload.app/cluster")?.string == name })
    let spec = objects.first { $0.kind == "DaemonSet" && $0.name == "bashupload" }?.value.at("spec", "template", "spec")
    let certificate = spec?["volumes"]?.array.first { $0["name"]?.string == "certificate" }
    #expect(certificate?.at("secret", "secretName")?.string == name)
    #expect(spec?["containers"]?.array.contains { $0["image"]?.string == file.image.description } == true)
  }

  /// What the base opens stays as it is; another port or a private address is opened, and no more.
  @Test(arguments: [
    ("https://s3.example.org", nil), ("https://s3.example.org:443/path", nil), ("https://104.16.1.1", nil),
    ("https://s3.example.org:9000", "0.0.0.0/0 ::/0 9000"), ("http://s3.example.org", "0.0.0.0/0 ::/0 80"),
    ("https://10.0.0.5", "10.0.0.5/32 443"), ("http://10.0.0.5:9000/", "10.0.0.5/32 9000"),
    ("https://[fd00::5]:9000", "fd00::5/128 9000"), ("https://203.0.113.5:8443", "203.0.113.5/32 8443"),
  ])
  func waysToOtherServicesAreOpened(_ url: String, _ way: String?) throws {
    let text = Example.with("jurisdiction: default ", "endpoint: \"\(url)\" ")
    let files = Overlay(try ClusterFile(parsing: text, file: "f")).files
    let policy = try files.first { $0.path == "network-policy.yaml" }.map { try YAMLObjects.parse($0.text) }
    let rules = policy?.flatMap { $0.value.at("spec", "egress")?.array ?? [] } ?? []
    let found = rules.map { rule in
      let blocks = rule["to"]?.array.compactMap { $0.at("ipBlock", "cidr")?.string } ?? []
      let ports = rule["ports"]?.array.compactMap { $0["port"]?.integer } ?? []
      return (blocks + ports.map(String.init)).joined(separator: " ")
    }
    #expect(found == (way.map { [$0] } ?? []))
    let kustomization = files.first { $0.path == "kustomization.yaml" }?.text ?? ""
    #expect(kustomization.contains("network-policy.yaml") == (way != nil))
  }

  /// What the quota counts with is what the tree asks for.
  @Test func theQuotaCountsWithTheTreesOwnRequests() async throws {
    let text = try #require(KubernetesTree.files["base/daemonset.yaml"])
    let daemonSet = try #require(YAMLObjects.parse(text).first)
    func sum(_ path: String, _ key: String) -> Int {
      (daemonSet.value.at("spec", "template", "spec", "containers")?.array ?? []).map { container in
        let quantity = container.at("resources", path, key)?.string ?? ""
        return Int(quantity.prefix { $0.isNumber }) ?? 0
      }.reduce(0, +)
    }
    #expect(sum("requests", "cpu") == Quota.edgePod.cpu)
    #expect(sum("requests", "memory") == Quota.edgePod.memory)
    #expect(sum("limits", "memory") == Quota.edgePod.memoryLimit)
    for edges in 1...50 {
      let quota = Quota(edges: edges)
      #expect(quota.cpu >= edges * Quota.edgePod.cpu && quota.memory >= edges * Quota.edgePod.memory)
    }
  }

  /// No text is a part of nginx's configuration: whatever it is and however long, it is served as it stands in the file.
  @Test func staticFilesAreFilesOfTheirOwn() throws {
    let text = Example.with(
      "{ /servads.txt: \"S6GVLTLHQPLW1RLTWUKOY3I8JI46Y5HO\" }",
      #"{ /servads.txt: "a'b \\ $host; }\n\u00e9 #\n", /b.txt: "\#(String(repeating: "x", count: 100_000))" }"#)
    let overlay = Overlay(try ClusterFile(parsing: text, file: "f"))
    func rendered(_ path: String) -> String? { overlay.files.first { $0.path == path }?.text }
    #expect(rendered("nginx/static-1.txt") == "a'b \\ $host; }\n\u{e9} #\n")
    #expect(rendered("nginx/static-2.txt")?.utf8.count == 100_000)
    let conf = try #require(rendered("nginx/static.conf"))
    #expect(conf.contains("location = /servads.txt {") && conf.contains("alias /etc/bashupload-nginx/static-2.txt;"))
    #expect(!conf.contains("$host"))
    #expect(
      rendered("kustomization.yaml")?.contains(
        "files: [nginx/limits.conf, nginx/static.conf, nginx/static-1.txt, nginx/static-2.txt]") == true)
  }

  @Test func onlyAFolderOfOurOwnIsReplaced() throws {
    let scratch = try Scratch()
    defer { scratch.remove() }
    let folder = OutputFolder(scratch.path("out"))
    try folder.replace(with: [RenderedFile(path: "a/b", text: "1")])
    try folder.replace(with: [RenderedFile(path: "a/c", text: "2")])
    #expect(!FileManager.default.fileExists(atPath: scratch.path("out/a/b")))
    #expect(FileManager.default.contents(atPath: scratch.path("out/a/c")) == Data("2".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("")) == ["out"])
    try FileManager.default.createDirectory(atPath: scratch.path("mine"), withIntermediateDirectories: true)
    try Data("keep".utf8).write(to: URL(filePath: scratch.path("mine/file")))
    #expect(throws: OutputFolder.Refusal.self) {
      try OutputFolder(scratch.path("mine")).replace(with: [RenderedFile(path: "x", text: "")])
    }
    #expect(FileManager.default.contents(atPath: scratch.path("mine/file")) == Data("keep".utf8))
  }

  @Test func whatHarmsSmallNodesIsRefusedUntilItIsAllowed() throws {
    let file = try Self.file("everything")
    let refused = Set(file.refusals().map(\.feature))
    #expect(refused == [.longhorn, .falco, .descheduler])
    #expect(file.refusals(allowing: [.longhorn, .falco, .descheduler]).isEmpty)
    for refusal in file.refusals() {
      #expect(refusal.description.contains("--allow \(refusal.feature.rawValue)"))
    }
    let longhorn = Example.with("longhorn: { enabled: false }", "longhorn: { enabled: true }")
    let reason = try ClusterFile(parsing: longhorn, file: "f").refusals().first?.reason ?? ""
    #expect(reason.contains("4 GiB") && reason.contains("cp-1 has 2 and 2GiB"))
  }
}
