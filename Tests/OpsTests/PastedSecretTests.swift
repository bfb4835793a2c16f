import Foundation
import Ops
import Synchronization
import Testing

/// Secrets as editors and shells leave them.
struct PastedSecretTests {
  private static let r2 = KubernetesObject.Identity(
    group: "", kind: "Secret", namespace: "bashupload", name: "bashupload-r2")

  private static func file(_ story: Story, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(filePath: story.scratch.path("secret")))
    try story.write(
      Example.with(
        "secretAccessKey: { fromEnv: R2_SECRET_ACCESS_KEY }",
        "secretAccessKey: { fromFile: \(story.scratch.path("secret")) }"))
  }

  @Test(arguments: ["secret-example\r\n", "secret-example\n\n", "\u{FEFF}secret-example", " secret-example \t\r\n"])
  func whatIsAddedAtTheEndsGoes(_ text: String) async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    try Self.file(story, Array(text.utf8))
    story.set("R2_ACCESS_KEY_ID", text)
    let applied = await story.deploy("apply", "--yes")
    #expect(applied.status == 0, "\(applied.text)")
    let data = story.cluster.state.withLock { $0.objects[Self.r2]?["data"]?.members ?? [:] }
    let wanted = Data("secret-example".utf8).base64EncodedString()
    #expect(data["R2_SECRET_ACCESS_KEY"]?.string == wanted && data["R2_ACCESS_KEY_ID"]?.string == wanted)
  }

  @Test(
    arguments: [
      ([0xFF, 0xFE, 0x73, 0x00], "is not text in UTF-8"), (Array("one\ntwo".utf8), "has more than one line"),
      (Array("a\u{7}b".utf8), "has a control character"), (Array("a\u{FEFF}b".utf8), "byte order mark"),
      (Array("\r\n".utf8), "is not there or empty"),
    ] as [([UInt8], String)])
  func whatIsNoTextIsRefusedByTheNameOfItsKey(_ bytes: [UInt8], _ says: String) async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    try Self.file(story, bytes)
    let applied = await story.deploy("apply", "--yes")
    #expect(applied.status == 1)
    #expect(
      applied.text.contains("storage.r2.secretAccessKey: file ") && applied.text.contains(says), "\(applied.text)")
    #expect(story.cluster.state.withLock { $0.objects[Self.r2] } == nil)
  }
}
