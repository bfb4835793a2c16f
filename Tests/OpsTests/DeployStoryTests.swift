import Foundation
import Ops
import Synchronization
import Testing

/// plan, apply, second apply, drift, rollback, destroy.
struct DeployStoryTests {
  @Test func fromNothingToARunningServiceAndNothingMoreToDo() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    let first = await story.deploy("plan")
    #expect(first.status == 2, "\(first.text)")
    #expect(first.text.contains("+ DaemonSet bashupload/bashupload"))
    #expect(first.text.contains("+ Secret bashupload/bashupload-r2 (PASSWORD, R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY)"))
    #expect(first.text.contains("not managed yet"))

    let unasked = await story.deploy("apply")
    #expect(unasked.status == 1)
    #expect(unasked.text.contains("--yes"))

    let applied = await story.deploy("apply", "--yes")
    #expect(applied.status == 0, "\(applied.text)")
    for edge in ["edge-1", "edge-2", "edge-3"] { #expect(applied.text.contains("ok   \(edge): certificate, upload")) }
    #expect(applied.text.contains("generation 1 is kept"))

    let plan = await story.deploy("plan")
    #expect(plan.status == 0, "\(plan.text)")
    #expect(plan.text.contains("0 to create, 0 to change, 0 to delete"))
    let changes = Self.changes(story)
    let second = await story.deploy("apply", "--yes")
    #expect(second.status == 0, "\(second.text)")
    #expect(second.text.contains("nothing to change"))
    #expect(Self.changes(story) == changes, "a second apply changes nothing")
  }

  private static func changes(_ story: Story) -> [[String]] {
    story.cluster.invocations.map(\.arguments).filter {
      ["apply", "create", "replace", "delete"].contains($0.first) && !$0.contains("--dry-run=server")
    }
  }

  @Test func theArgumentsOfKubectl() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let apply = ["apply", "--server-side", "--field-manager=bashupload-deploy", "--force-conflicts"]
    func pruning(_ namespace: String) -> [String] {
      apply + ["--prune", "--applyset=configmaps/bashupload-applyset", "--namespace=\(namespace)", "--filename=-"]
    }
    #expect(
      Self.changes(story) == [
        apply + ["--filename=-"],  // namespaces
        ["create", "--filename=-"],  // lock
        apply + ["--filename=-"],  // cert-manager
        apply + ["--filename=-"],  // secrets
        pruning("bashupload-monitoring"),
        pruning("kube-system"),
        pruning("bashupload"),
        ["create", "--filename=-"],  // generation
        ["delete", "--ignore-not-found", "--wait=true", "--timeout=240s", "--filename=-"],  // lock
      ])
    for call in story.cluster.invocations where call.arguments.contains("--prune") {
      #expect(call.environment == ["KUBECTL_APPLYSET": "true"])
      #expect(call.input?.contains("\"kind\":\"Secret\"") == false)
    }
  }

  @Test func aChangedPolicyIsShownAsOneChangedConfigMap() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    let plan = await story.deploy("plan")
    #expect(plan.status == 2)
    #expect(plan.text.contains("~ ConfigMap bashupload/bashupload "), "\(plan.text)")
    #expect(plan.text.contains("data.MAX_AGE: 3600 -> 7200"))
    #expect(plan.text.contains("~ DaemonSet bashupload/bashupload"))
    #expect(plan.text.contains("0 to create, 3 to change, 0 to delete"))
    let image = try ClusterFile(parsing: Example.text, file: "f").image.description
    story.cluster.state.withLock { $0.addCleanup("running", image: image) }
    #expect(await story.deploy("apply", "--yes").status == 0)
    #expect(story.cluster.object("Job", "running") != nil, "the version is the same: it goes on")
    #expect(await story.deploy("plan").status == 0)
    // The old ConfigMap has been pruned.
    let maps = story.cluster.state.withLock { $0.objects.values.filter { $0.at("data", "MAX_AGE") != nil } }
    #expect(maps.count == 1)

    let back = await story.deploy("rollback", "--yes")
    #expect(back.status == 0, "\(back.text)")
    #expect(back.text.contains("generation 1 runs again"))
    let now = story.cluster.state.withLock { $0.objects.values.compactMap { $0.at("data", "MAX_AGE")?.string } }
    #expect(now == ["3600"])
    #expect(story.cluster.object("Secret", "bashupload-r2") != nil, "a rollback keeps the Secrets")
    #expect(await story.deploy("rollback", "9", "--yes").text.contains("no generation 9; kept are:"))
  }

  @Test func driftIsSeenFieldByFieldAndPutRight() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    story.cluster.change("CronJob", "bashupload-cleanup") { $0["spec"]?["schedule"] = "0 0 * * *" }
    story.cluster.change("Namespace", "bashupload") {
      $0["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"] = "baseline"
    }
    let doctor = await story.deploy("doctor")
    #expect(doctor.status == 1)
    #expect(doctor.text.contains("pod security: the namespace enforces baseline"))
    let plan = await story.deploy("plan")
    #expect(plan.status == 2)
    #expect(plan.text.contains("spec.schedule: 0 0 * * * -> */5 * * * *"), "\(plan.text)")
    #expect(plan.text.contains("metadata.labels.pod-security.kubernetes.io/enforce: baseline -> privileged"))
    #expect(await story.deploy("apply", "--yes").status == 0)
    #expect(await story.deploy("plan").status == 0)
    #expect(await story.deploy("doctor").text == "nothing found")
  }

  @Test func whatIsNoLongerWantedGoes() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    try story.write(Example.with("quota: { enabled: true }", "quota: { enabled: false }"))
    let plan = await story.deploy("plan")
    #expect(plan.text.contains("- ResourceQuota bashupload/bashupload"), "\(plan.text)")
    _ = await story.deploy("apply", "--yes")
    #expect(story.cluster.object("ResourceQuota", "bashupload") == nil)
    // A namespace of which nothing is wanted any more, and a set that is empty now.
    let small = Example.with("monitoring: { enabled: true }", "monitoring: { enabled: false }").replacing(
      "  email: ops@example.org\n", with: ""
    ).replacing("issuer: letsencrypt ", with: "issuer: { secret: own } ").replacing(
      "  dns01: { cloudflare: { apiToken: { fromEnv: CLOUDFLARE_CERT_TOKEN } } }\n", with: "")
    try story.write(small)
    let without = await story.deploy("apply", "--yes")
    #expect(without.status == 1)
    #expect(without.text.contains("certificates.issuer.secret: Secret bashupload/own is not there: kubectl create"))
    story.cluster.add(secret: "own")
    let less = await story.deploy("plan")
    #expect(less.text.contains("- Namespace bashupload-monitoring"), "\(less.text)")
    #expect(less.text.contains("- HelmChart kube-system/cert-manager"))
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    #expect(apply.text.contains("removal: bashupload-monitoring, cert-manager still ending"), "\(apply.text)")
    #expect(story.cluster.object("HelmChart", "cert-manager") == nil)
    #expect(story.cluster.object("Namespace", "bashupload-monitoring") == nil)
    let after = await story.deploy("plan")
    #expect(after.status == 0, "\(after.text)")
  }

  @Test func aVersionThatDoesNotRunIsExplainedAndTakenBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let good = story.cluster.object("DaemonSet", "bashupload")?.at("spec", "template")
    let broken = Example.with("6c3c624b58dbbcd3", "dead624b58dbbcd3")
    let image = try ClusterFile(parsing: broken, file: "f").image.description
    story.cluster.state.withLock { state in
      state.brokenImages.insert(image)
      state.addCleanup("stuck", image: image)
    }
    try story.write(broken)
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(apply.text.contains("bashupload: CrashLoopBackOff back-off 40s"), "\(apply.text)")
    #expect(apply.text.contains("bashupload | fatal: cannot start"))
    #expect(apply.text.contains("rolled back to generation 1, which runs"))
    #expect(story.cluster.object("DaemonSet", "bashupload")?.at("spec", "template") == good)
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil, "the lock is given back")
    #expect(story.cluster.object("Job", "stuck") == nil, "it would keep all others from running")
  }

  @Test func aVersionThatIsReadyOnlyForAMomentIsTakenBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let falling = Example.with("6c3c624b58dbbcd3", "dead624b58dbbcd3")
    let image = try ClusterFile(parsing: falling, file: "f").image.description
    story.cluster.state.withLock { _ = $0.fallingImages.insert(image) }
    try story.write(falling)
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(apply.text.contains("rollout: 3 of 3 pods are new, 3 ready, 0 for long enough"), "\(apply.text)")
    #expect(apply.text.contains("rolled back to generation 1, which runs"))
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-2") == nil, "it has not proven itself")
  }

  @Test func twoOperatorsDoNotCollide() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    func lock(since: String) {
      let identity = KubernetesObject.Identity(
        group: "coordination.k8s.io", kind: "Lease", namespace: "kube-system", name: "bashupload-deploy")
      story.cluster.state.withLock {
        $0.objects[identity] = [
          "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
          "metadata": ["name": "bashupload-deploy", "namespace": "kube-system", "resourceVersion": "7"],
          "spec": ["holderIdentity": "eve@laptop", "acquireTime": .string(since)],
        ]
      }
    }
    lock(since: "2026-11-22T11:59:30.000000Z")
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    let refused = await story.deploy("apply", "--yes")
    #expect(refused.status == 1)
    #expect(refused.text.contains("eve@laptop is deploying since 2026-11-22T11:59:30"), "\(refused.text)")
    lock(since: "2026-11-22T02:00:00.000000Z")
    #expect(await story.deploy("apply", "--yes").status == 0)
  }

  /// Interrupted at any step, the next run finishes.
  @Test func everyInterruptionIsFinishedByTheNextRun() async throws {
    for step in 1...9 {
      let story = try Story()
      defer { story.scratch.remove() }
      story.cluster.state.withLock { $0.failingChange = step }
      let first = await story.deploy("apply", "--yes")
      // The ninth gives the lock back, and is tried again.
      #expect(first.status == (step < 9 ? 1 : 0), "step \(step): \(first.text)")
      #expect(step < 9 || story.cluster.object("Lease", "bashupload-deploy") == nil)
      // Somebody whose lock was left behind says so; a day later it is too old.
      story.cluster.state.withLock { state in
        for identity in state.objects.keys where identity.kind == "Lease" { state.objects[identity] = nil }
      }
      let second = await story.deploy("apply", "--yes")
      #expect(second.status == 0, "step \(step): \(second.text)")
      #expect(await story.deploy("plan").status == 0, "step \(step)")
      #expect(story.cluster.object("ConfigMap", "bashupload-generation-1") != nil, "step \(step)")
    }
  }

  @Test func secretsAreNowhereButInStandardInput() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    for words in [
      ["plan"], ["apply", "--yes"], ["verify"], ["status"], ["doctor"],
      ["render", "--output", story.scratch.path("out")],
    ] {
      _ = await story.run(words)
    }
    story.set("BASHUPLOAD_PASSWORD", "planted-password-6")
    let plan = await story.deploy("plan")
    #expect(plan.status == 2)
    #expect(plan.text.contains("data.PASSWORD: (not shown) -> (another, not shown)"), "\(plan.text)")
    #expect(plan.text.contains("annotations.bashupload.app/credentials"), "a changed password is a rollout")
    story.set("BASHUPLOAD_PASSWORD", nil)
    let blind = await story.deploy("plan")
    #expect(blind.status == 0, "what cannot be read is no change: \(blind.text)")
    #expect(
      blind.text.contains("note: policy.password: environment variable BASHUPLOAD_PASSWORD is not there or empty"))
    let rendered = try Rendering(try ClusterFile(parsing: Example.text, file: "f")).files.map(\.text).joined()
    let encoded = Story.planted.values.map { Data($0.utf8).base64EncodedString() }
    for secret in Array(Story.planted.values) + encoded + ["planted-"] {
      #expect(!story.everythingPrinted.contains(secret))
      #expect(!rendered.contains(secret))
      for invocation in story.cluster.invocations {
        #expect(!invocation.line.contains(secret))
        #expect(!invocation.environment.values.contains { $0.contains(secret) })
      }
    }
    let generation = story.cluster.object("ConfigMap", "bashupload-generation-1")?.json ?? ""
    #expect(!generation.isEmpty && !generation.contains("planted-") && !generation.contains("\"Secret\""))
    // And they do arrive.
    let stored = story.cluster.object("Secret", "bashupload-r2")?.at("data", "PASSWORD")?.string
    #expect(stored == Data("planted-password-3".utf8).base64EncodedString())
    #expect(
      story.cluster.invocations.contains { $0.program == "curl" && $0.input?.contains("planted-password-3") == true })
  }

  @Test func missingSecretsAreAllNamedBeforeAnythingChanges() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.set("R2_ACCESS_KEY_ID", nil)
    story.set("CLOUDFLARE_CERT_TOKEN", "")
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(apply.text.contains("storage.r2.accessKeyID: environment variable R2_ACCESS_KEY_ID is not there or empty"))
    #expect(apply.text.contains("certificates.dns01.cloudflare.apiToken: environment variable CLOUDFLARE_CERT_TOKEN"))
    #expect(Self.changes(story).isEmpty)
  }

  @Test func destroyNamesWhatIsLostAndWantsTheDomain() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let refused = await story.deploy("destroy", "--confirm", "bashupload.ap")
    #expect(refused.status == 1)
    #expect(refused.text.contains("- DaemonSet bashupload/bashupload"))
    #expect(refused.text.contains("The bucket bashupload"))
    #expect(story.cluster.object("DaemonSet", "bashupload") != nil)
    #expect(await story.deploy("destroy", "--confirm", "bashupload.app").status == 0)
    #expect(story.cluster.object("DaemonSet", "bashupload") == nil)
    #expect(story.cluster.object("Namespace", "bashupload") == nil)
    #expect(story.cluster.object("HelmChart", "cert-manager") != nil, "others may use it")
    #expect(story.cluster.object("Secret", "bashupload-cloudflare") == nil, "no credential stays behind")
  }

  @Test func anotherInstallationIsLeftAlone() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    try story.write(Example.with("cluster: bashupload-app", "cluster: somebody-else"))
    let changes = Self.changes(story)
    for words in [
      ["plan"], ["apply", "--yes"], ["rollback", "1", "--yes"], ["destroy", "--confirm", "bashupload.app"],
    ] {
      let refused = await story.run(words)
      #expect(refused.status == 1)
      #expect(refused.text.contains("runs the installation bashupload-app, and the file is of somebody-else"))
    }
    #expect(Self.changes(story) == changes)
  }

  @Test func aServerThatIsTooOldIsToldInOneLine() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.server = ("29+", "v1.29.15-gke.1") }
    for words in [["plan"], ["apply", "--yes"]] {
      let refused = await story.run(words)
      #expect(refused.status == 1)
      #expect(
        refused.text
          == "this Kubernetes is v1.29.15-gke.1, and deploy needs 1.30 or newer (preStop.sleep, ValidatingAdmissionPolicy): "
          + "upgrade it first; nothing has been changed")
    }
    #expect(Self.changes(story).isEmpty)
    #expect(await story.deploy("doctor").text.contains("version: this Kubernetes is v1.29.15-gke.1"))
    story.cluster.state.withLock { $0.server = ("30+", "v1.30.0-eks") }
    #expect(await story.deploy("plan").status == 2)
  }

  @Test func aKindThatNobodyBringsIsToldBeforeAnythingChanges() async throws {
    let story = try Story(Example.with("upgradeController: { enabled: false }", "upgradeController: { enabled: true }"))
    defer { story.scratch.remove() }
    story.cluster.state.withLock { _ = $0.unknownKinds.insert("Plan") }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(apply.text.contains("this Kubernetes does not know Plan (upgrade.cattle.io): install"), "\(apply.text)")
    #expect(Self.changes(story).isEmpty)
    #expect(await story.deploy("plan").text.contains("note: this Kubernetes does not know Plan (upgrade.cattle.io)"))
    story.cluster.state.withLock { _ = $0.unknownKinds.remove("Plan") }
    #expect(await !story.deploy("plan").text.contains("does not know"))
    // Without the Helm controller of k3s nobody brings cert-manager.
    let elsewhere = try Story()
    defer { elsewhere.scratch.remove() }
    elsewhere.cluster.state.withLock { _ = $0.unknownKinds.insert("HelmChart") }
    let refused = await elsewhere.deploy("apply", "--yes")
    #expect(
      refused.text.contains(
        "does not know Certificate (cert-manager.io), ClusterIssuer (cert-manager.io), HelmChart (helm.cattle.io)"))
    #expect(Self.changes(elsewhere).isEmpty)
  }

  @Test func verifyAsksBothAddresses() async throws {
    // Pods have IPv6 only when every node has it.
    let half = try Story()
    defer { half.scratch.remove() }
    #expect(await half.deploy("check").text.contains("note: address6 of edge-3 is not served: every node needs one"))
    half.cluster.state.withLock { $0.complaintOfIPv6 = "curl: (7) Failed to connect: Connection refused" }
    let applied = await half.deploy("apply", "--yes")
    #expect(applied.status == 0 && !applied.text.contains("IPv6"), "\(applied.text)")
    let story = try Story(
      Example.text.replacing(#/address: 203.0.113.1(\d),/#) { match in
        "address: 203.0.113.1\(match.1), address6: \"2001:db8::1\(match.1)\","
      })
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    #expect(await story.deploy("verify").text.contains("ok   edge-3 IPv6: certificate, answer"))
    story.cluster.state.withLock { $0.complaintOfIPv6 = "curl: (7) Failed to connect: Network is unreachable" }
    let without = await story.deploy("verify")
    #expect(without.status == 0 && without.text.contains("ok   edge-3 IPv6: not tried, this machine has no IPv6"))
    story.cluster.state.withLock { $0.complaintOfIPv6 = "curl: (28) Connection timed out" }
    let broken = await story.deploy("verify")
    #expect(broken.status == 1 && broken.text.contains("FAIL edge-3 IPv6: curl: (28) Connection timed out"))
  }

  @Test func statusIsOneTable() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let table = await story.deploy("status").text
    #expect(table.contains("NODE    ROLE     STATE  VERSION       POD    RESTARTS  AGE"), "\(table)")
    #expect(table.contains("edge-1  edge     ready  v1.33.5+k3s1  ready  0         60m"))
    #expect(table.contains("certificate  until 2027-01-05T00:00:00Z"))
    let json = try JSONValue(parsing: await story.deploy("status", "--json").text)
    #expect(json["nodes"]?.array.count == 4)
  }
}
