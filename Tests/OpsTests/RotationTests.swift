import Foundation
import Ops
import Synchronization
import Testing

/// New keys: tried where they are used, taken back when they do not work, and no word of the old ones going before that.
struct RotationTests {
  private static func story() async throws -> Story {
    let story = try Story()
    let file = try ClusterFile(parsing: Example.text, file: "f")
    let digest = try #require(file.kubernetes.sha256["amd64"])
    story.cluster.state.withLock { state in
      state.machines = Dictionary(uniqueKeysWithValues: file.nodes.map { ($0.name, "\($0.address)") })
      state.binaries = [digest: "v1.33.5+k3s1"]
    }
    story.set("KUBECONFIG", story.scratch.path("kubeconfig"))
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    return story
  }

  private static func key(_ story: Story, _ secret: String, _ key: String) -> String? {
    story.cluster.object("Secret", secret)?.at("data", key)?.string.flatMap { Data(base64Encoded: $0) }.map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private static func scripts(_ story: Story, _ text: String) -> [Invocation] {
    story.cluster.invocations.filter { $0.program == "ssh" && $0.input?.contains(text) == true }
  }

  /// Who has got the file of the snapshots, as it travels.
  private static func receivers(_ story: Story, accessKey: String, secretKey: String) -> [String] {
    let file = "etcd-s3-access-key: \"\(accessKey)\"\netcd-s3-secret-key: \"\(secretKey)\"\n"
    let encoded = Data(file.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
    return scripts(story, encoded).flatMap { $0.arguments.filter { $0.contains("@") } }
  }

  private static let snapshots: @Sendable (Story) -> Int = { story in
    story.cluster.state.withLock { $0.objects.keys.count { $0.kind == "ETCDSnapshotFile" } }
  }

  @Test func whatIsNewIsOneOfFour() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    let wrong = await story.deploy("rotate", "everything")
    #expect(wrong.status == 64 && wrong.text.contains("write agents, servers, r2 or cloudflare"))
  }

  @Test func keysOfTheBucketAreBroughtAndProven() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("R2_ACCESS_KEY_ID", "planted-access-key-7")
    story.set("R2_SECRET_ACCESS_KEY", "planted-secret-key-8")
    let unasked = await story.deploy("rotate", "r2")
    #expect(unasked.status == 1 && Self.key(story, "bashupload-r2", "R2_ACCESS_KEY_ID") == "planted-access-key-1")
    let rotate = await story.deploy("rotate", "r2", "--yes")
    #expect(rotate.status == 0, "\(rotate.text)")
    #expect(Self.key(story, "bashupload-r2", "R2_SECRET_ACCESS_KEY") == "planted-secret-key-8")
    #expect(rotate.text.contains("ok   edge-1: certificate, upload"), "the pods are checked")
    #expect(
      rotate.text.hasSuffix(
        "nothing uses the key planted-access-key-1 any more: delete it at Cloudflare (R2, Manage API tokens)"))
    let receivers = Self.receivers(story, accessKey: "planted-access-key-7", secretKey: "planted-secret-key-8")
    #expect(receivers == ["root@203.0.113.10"])
    #expect(Self.scripts(story, "k3s etcd-snapshot save --name rotate-").count == 1)
    #expect(Self.snapshots(story) == 0, "removed with the new keys")
    #expect(!story.everythingPrinted.contains("planted-secret"))
    #expect(story.cluster.invocations.allSatisfy { call in !call.arguments.contains { $0.contains("planted-") } })
    // Once more, as after an interruption: nothing is new, everything is looked at.
    let again = await story.deploy("rotate", "r2", "--yes")
    #expect(again.status == 0 && again.text.contains("have the key of environment variable R2_ACCESS_KEY_ID already"))
    #expect(
      again.text.contains(
        "everything uses the key planted-access-key-7 of environment variable R2_ACCESS_KEY_ID: an older one can be deleted"
      ),
      "\(again.text)")
  }

  @Test func keysThatThePodsCannotUseAreTakenBack() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("R2_SECRET_ACCESS_KEY", "planted-secret-key-8")
    story.cluster.state.withLock { $0.badKeys = ["planted-secret-key-8"] }
    for verb in [["rotate", "r2"], ["apply"]] {
      let failed = await story.run(verb + ["--yes"])
      #expect(failed.status == 1, "\(failed.text)")
      #expect(failed.text.contains("Secret bashupload/bashupload-r2: as it was before"), "\(failed.text)")
      #expect(failed.text.contains("rolled back to generation 1, which runs"))
      #expect(!failed.text.contains("delete it at Cloudflare"))
      #expect(Self.key(story, "bashupload-r2", "R2_SECRET_ACCESS_KEY") == "planted-secret-key-2")
      let receivers = Self.receivers(story, accessKey: "planted-access-key-1", secretKey: "planted-secret-key-8")
      #expect(receivers.isEmpty, "the control nodes keep theirs")
      #expect(await story.deploy("verify").status == 0)
    }
    #expect(await story.deploy("plan").text.contains("(another, not shown)"), "the file still wants the others")
  }

  /// Killed, or cut off, at any change: the next run knows which keys have been there before.
  @Test(arguments: [(isBad: true, step: 1), (isBad: false, step: 4)])
  func anInterruptedRunKeepsTheWayBack(isBad: Bool, step: Int) async throws {
    var number = 1 - step
    var isInterrupted = true
    while isInterrupted {
      number += step
      let story = try await Self.story()
      defer { story.scratch.remove() }
      story.set("R2_ACCESS_KEY_ID", "planted-access-key-7")
      story.set("R2_SECRET_ACCESS_KEY", "planted-secret-key-8")
      story.cluster.state.withLock { state in
        state.badKeys = isBad ? ["planted-secret-key-8"] : []
        state.failingChange = state.changesSeen + number
      }
      let first = await story.deploy("rotate", "r2", "--yes")
      isInterrupted = first.text.contains("Unable to connect to the server")
      // Whoever holds the lock is gone.
      story.cluster.remove("Lease", "bashupload-deploy")
      let second = await story.deploy("rotate", "r2", "--yes")
      #expect(second.status == (isBad ? 1 : 0), "change \(number): \(first.text)\n\(second.text)")
      let key = Self.key(story, "bashupload-r2", "R2_SECRET_ACCESS_KEY")
      #expect(key == (isBad ? "planted-secret-key-2" : "planted-secret-key-8"), "change \(number): \(second.text)")
      #expect(story.cluster.object("Secret", "bashupload-r2-before") == nil, "change \(number): \(second.text)")
      #expect(await story.deploy("verify").status == 0, "change \(number)")
    }
    #expect(number > 5, "changes were counted")
  }

  @Test func anInterruptedRotationAtCloudflareKeepsTheWayBack() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("CLOUDFLARE_CERT_TOKEN", "planted-token-8")
    story.cluster.state.withLock { $0.badKeys = ["planted-token-8"] }
    story.interrupt(inSleep: 2)
    let first = await Task { await story.deploy("rotate", "cloudflare", "--yes") }.value
    #expect(first.status != 0 && Self.key(story, "bashupload-cloudflare", "api-token") == "planted-token-8")
    #expect(story.cluster.object("Certificate", "bashupload-rotation") == nil, "nobody waits for it any more")
    let second = await story.deploy("rotate", "cloudflare", "--yes")
    #expect(second.status == 1 && second.text.hasSuffix("the old one is back, leave it alone"), "\(second.text)")
    #expect(Self.key(story, "bashupload-cloudflare", "api-token") == "planted-token-4")
    #expect(story.cluster.object("Secret", "bashupload-cloudflare-before") == nil)
  }

  /// The check of a new version uploads and downloads, and cert-manager has no part in that.
  @Test(arguments: [false, true])
  func applyTriesAnotherTokenBeforeItForgetsTheOldOne(_ isBad: Bool) async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("CLOUDFLARE_CERT_TOKEN", "planted-token-8")
    story.set("R2_SECRET_ACCESS_KEY", "planted-secret-key-8")
    story.cluster.state.withLock { $0.badKeys = isBad ? ["planted-token-8"] : [] }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == (isBad ? 1 : 0), "\(apply.text)")
    #expect(apply.text.contains("cert-manager has another token, and has to get a certificate for rotation-"))
    #expect(apply.text.hasSuffix("the old one is back, leave it alone") == isBad)
    #expect(Self.key(story, "bashupload-cloudflare", "api-token") == (isBad ? "planted-token-4" : "planted-token-8"))
    #expect(
      Self.key(story, "bashupload-r2", "R2_SECRET_ACCESS_KEY") == "planted-secret-key-8", "those have proven themselves"
    )
    for name in ["bashupload-cloudflare-before", "bashupload-r2-before"] {
      #expect(story.cluster.object("Secret", name) == nil)
    }
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-2") != nil, "the service is not to blame")
  }

  @Test func anEdgeThatIsAwayKeepsNoKeyAlive() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("R2_ACCESS_KEY_ID", "planted-access-key-7")
    story.cluster.state.withLock { $0.machines["edge-2"] = nil }
    let rotate = await story.deploy("rotate", "r2", "--yes")
    #expect(rotate.status == 0 && rotate.text.contains("nothing uses the key planted-access-key-1"), "\(rotate.text)")
  }

  @Test func keysThatWriteNoSnapshotAreNotDone() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("R2_ACCESS_KEY_ID", "planted-access-key-7")
    story.cluster.state.withLock { $0.complaintOfSnapshots = "Access Denied." }
    let failed = await story.deploy("rotate", "r2", "--yes")
    #expect(failed.status == 1 && failed.text.contains("snapshot in the bucket: Access Denied."), "\(failed.text)")
    #expect(
      Self.scripts(story, "rm -f /var/lib/rancher/k3s/server/db/snapshots/rotate-").count == 1,
      "nothing stays on the node")
    #expect(failed.text.contains("leave the old keys alone") && !failed.text.contains("delete it at Cloudflare"))
    // A control node that cannot be had keeps the old keys as well.
    story.cluster.state.withLock { state in
      state.complaintOfSnapshots = nil
      state.machines["cp-1"] = nil
    }
    let away = await story.deploy("rotate", "r2", "--yes")
    #expect(
      away.status == 1 && away.text.contains("not as they should be: cp-1; leave the old keys alone"), "\(away.text)")
  }

  @Test func theTokenOfCloudflareGetsACertificateForANewName() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("CLOUDFLARE_CERT_TOKEN", "planted-token-8")
    let rotate = await story.deploy("rotate", "cloudflare", "--yes")
    #expect(rotate.status == 0, "\(rotate.text)")
    #expect(Self.key(story, "bashupload-cloudflare", "api-token") == "planted-token-8")
    let asked = try #require(
      story.cluster.invocations.first {
        $0.input?.contains("\"bashupload-rotation\"") == true && $0.arguments[0] == "apply"
      })
    #expect(asked.input?.contains("\"name\":\"bashupload-letsencrypt-staging\"") == true)
    #expect(asked.input?.firstMatch(of: #/"dnsNames":\["rotation-\d+\.bashupload\.app"\]/#) != nil)
    #expect(story.cluster.object("Certificate", "bashupload-rotation") == nil)
    #expect(rotate.text.hasSuffix("delete the old one at Cloudflare (My Profile, API Tokens)"))
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
    #expect(await story.deploy("plan").status == 0)
  }

  @Test func aTokenThatCloudflareRefusesIsTakenBack() async throws {
    let story = try await Self.story()
    defer { story.scratch.remove() }
    story.set("CLOUDFLARE_CERT_TOKEN", "planted-token-8")
    story.cluster.state.withLock { $0.badKeys = ["planted-token-8"] }
    let refused = await story.deploy("rotate", "cloudflare", "--yes")
    #expect(refused.status == 1, "\(refused.text)")
    #expect(refused.text.contains("Cloudflare API for GET \"/zones?name=x\" \t Error: 9109: Invalid token"))
    #expect(refused.text.contains("Zone: DNS: Edit for bashupload.app"))
    #expect(refused.text.hasSuffix("the old one is back, leave it alone"))
    #expect(Self.key(story, "bashupload-cloudflare", "api-token") == "planted-token-4")
    #expect(story.cluster.object("Certificate", "bashupload-rotation") == nil)
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
    story.set("CLOUDFLARE_CERT_TOKEN", nil)
    let missing = await story.deploy("rotate", "cloudflare", "--yes")
    #expect(
      missing.status == 1 && missing.text.contains("certificates.dns01.cloudflare.apiToken: environment variable"),
      "\(missing.text)")
  }

  @Test func aCertificateOfOnesOwnNeedsNoToken() async throws {
    let text = Example.text.replacing(
      #/(?m)^certificates:\n(  .*\n)+/#, with: "certificates:\n  issuer: { secret: own-tls }\n")
    let story = try Story(text)
    defer { story.scratch.remove() }
    let none = await story.deploy("rotate", "cloudflare", "--yes")
    #expect(none.status == 1 && none.text.contains("no token of Cloudflare is in the cluster"), "\(none.text)")
  }
}
