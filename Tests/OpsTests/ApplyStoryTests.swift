import Foundation
import Ops
import Synchronization
import Testing

/// What apply does when things go wrong: versions that run and do not serve, interruptions, locks, other people's Secrets.
struct ApplyStoryTests {
  private static func changes(_ story: Story) -> Int {
    story.cluster.invocations.count {
      ["apply", "create", "replace", "delete"].contains($0.arguments.first)
        && !$0.arguments.contains("--dry-run=server")
    }
  }

  private static func image(_ text: String) throws -> String {
    try ClusterFile(parsing: text, file: "f").image.description
  }

  private static let lease = KubernetesObject.Identity(
    group: "coordination.k8s.io", kind: "Lease", namespace: "kube-system", name: "bashupload-deploy")

  private static func lock(_ story: Story, holder: String, acquired: String, renewed: String? = nil) {
    story.cluster.state.withLock {
      $0.objects[lease] = [
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": ["name": "bashupload-deploy", "namespace": "kube-system", "resourceVersion": "7"],
        "spec": [
          "holderIdentity": .string(holder), "acquireTime": .string(acquired),
          "renewTime": .string(renewed ?? acquired),
        ],
      ]
    }
  }

  @Test func aVersionThatRunsAndDoesNotServeIsTakenBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    story.cluster.state.withLock { $0.refusesUploads = true }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(apply.text.contains("FAIL edge-1: upload answered 503 the store is away"), "\(apply.text)")
    #expect(apply.text.contains("the pods run, and the check failed"))
    #expect(apply.text.contains("rolled back to generation 1, which runs"))
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-2") == nil, "it has not proven itself")
    let ages = story.cluster.state.withLock { $0.objects.values.compactMap { $0.at("data", "MAX_AGE")?.string } }
    #expect(ages == ["3600"])
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
    // Without the check it is the operator's own word that it is good.
    #expect(await story.deploy("apply", "--yes", "--no-verify").status == 0)
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-2") != nil)
  }

  /// Servers die without notice: the others get the new version, and keep it.
  @Test func aNodeThatIsAwayTakesNoVersionBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    story.cluster.change("Node", "edge-2") { $0["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]] }
    story.cluster.state.withLock { $0.deadEdges = ["203.0.113.12"] }
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    #expect(apply.text.contains("rollout: 0 of 2 pods are new, and edge-2 not ready"))
    #expect(apply.text.contains("edge-2 not ready: the pod there is replaced when the node is back"))
    #expect(apply.text.contains("warn edge-2: the node is not ready; curl: (7) Failed to connect"))
    #expect(apply.text.contains("ok   edge-1: certificate, upload, download by edge-3, second download refused"))
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-2") != nil)
    func version(_ node: String) -> String? {
      story.cluster.object("Pod", "bashupload-\(node)")?.at("metadata", "labels", "pod-template-generation")?.string
    }
    #expect(["edge-1", "edge-2", "edge-3"].map(version) == ["2", "1", "2"])
    // The check by itself says all that is wrong.
    let verify = await story.deploy("verify")
    #expect(verify.status == 1 && verify.text.contains("FAIL edge-2: the node is not ready"), "\(verify.text)")
  }

  @Test func anOldRunOfTheCleanerTakesNoVersionBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    story.cluster.state.withLock {
      $0.addCleanup(
        "run", image: "x", status: ["failed": 3, "conditions": [["type": "Failed", "status": "True"]]])
    }
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0 && apply.text.contains("warn cleanup: the last run failed"), "\(apply.text)")
    #expect(await story.deploy("verify").status == 1)
  }

  @Test func theFirstVersionThatDoesNotServeHasNothingToGoBackTo() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.refusesUploads = true }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1 && apply.text.contains("there is no earlier generation to go back to"), "\(apply.text)")
    #expect(story.cluster.object("ConfigMap", "bashupload-generation-1") == nil)
    story.cluster.state.withLock { $0.refusesUploads = false }
    let again = await story.deploy("apply", "--yes")
    #expect(again.status == 0 && again.text.contains("generation 1 is kept"), "\(again.text)")
  }

  @Test func aCheckThatFailsWithoutAChangeChangesNothing() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    story.cluster.state.withLock { $0.refusesUploads = true }
    let changes = Self.changes(story)
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1 && apply.text.contains("nothing has been changed, and the check failed"), "\(apply.text)")
    #expect(Self.changes(story) == changes)
  }

  @Test func podsThatRunAndAreNotReadyTellWhyAndTheLockIsRenewedMeanwhile() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    let image = try Self.image(Example.text)
    story.cluster.state.withLock { state in
      _ = state.slowImages.insert(image)
      let pod = "bashupload-edge-1"
      state.addEvent("Pod", pod, "Second", "b", ["eventTime": "2026-11-22T11:59:40.123456Z"])
      state.addEvent("Pod", pod, "First", "a", ["lastTimestamp": "2026-11-22T11:59:30Z"])
      state.addEvent("Pod", pod, "Third", "c", ["lastTimestamp": "2026-11-22T11:59:50Z"])
    }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(
      apply.text.contains("pod bashupload-edge-1 on edge-1: not ready, 0 restarts\n  event First: a"), "\(apply.text)")
    #expect(apply.text.contains("  event First: a\n  event Second: b\n  event Third: c\n  bashupload | line one"))
    let renewals = story.cluster.invocations.filter { $0.arguments.first == "replace" }
    #expect(renewals.count >= 8, "ten minutes, one a minute")
    #expect(renewals.allSatisfy { $0.input?.contains("\"holderIdentity\":\"ops@desk/") == true })
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
  }

  @Test func podsThatAreRefusedTellWhy() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    let message = "pods \"bashupload-x\" is forbidden: exceeded quota: bashupload"
    story.cluster.state.withLock { state in
      state.isOverQuota = true
      state.addEvent("DaemonSet", "bashupload", "FailedCreate", message, ["lastTimestamp": "2026-11-22T11:59:30Z"])
    }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 1)
    #expect(
      apply.text.contains("daemonset bashupload: 0 of 3 pods exist\n  event FailedCreate: \(message)"), "\(apply.text)")
    #expect(!apply.text.contains("all pods that exist are ready"))
  }

  @Test func aRollbackThatDoesNotRunTellsWhy() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    let first = try Self.image(Example.text)
    try story.write(Example.with("6c3c624b58dbbcd3", "dead624b58dbbcd3"))
    _ = await story.deploy("apply", "--yes")
    story.cluster.state.withLock { _ = $0.brokenImages.insert(first) }
    let back = await story.deploy("rollback", "--yes")
    #expect(back.status == 1)
    #expect(back.text.contains("bashupload | fatal: cannot start"), "\(back.text)")
    #expect(back.text.contains("generation 1 is applied and does not run"))
    #expect(back.text.contains("bashupload deploy rollback N; kept are:\n  1  "))
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
  }

  @Test func aServerThatIsAwayForAMomentIsWaitedFor() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.failingLooks = 3 }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    #expect(apply.text.contains("rollout: kubectl could not get daemonsets: Unable to connect to the server: EOF"))
  }

  @Test func certManagersWebhookIsWaitedForUntilItAnswers() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { $0.webhookRefusals = 4 }
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    #expect(apply.text.contains("cert-manager webhook: kubectl could not apply: Error from server (InternalError)"))
    // An earlier run has brought the kinds and has ended before the webhook was trusted.
    let later = try Story()
    defer { later.scratch.remove() }
    later.cluster.state.withLock { $0.webhookRefusals = 1_000 }
    let first = await later.deploy("apply", "--yes")
    #expect(first.status == 1, "\(first.text)")
    #expect(first.text.contains("kubectl --namespace cert-manager get pods,events says why"))
    later.cluster.state.withLock { $0.webhookRefusals = 4 }
    #expect(await later.deploy("apply", "--yes").status == 0)
  }

  @Test func anInterruptionGivesTheLockBack() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    let image = try Self.image(Example.text)
    story.cluster.state.withLock { _ = $0.slowImages.insert(image) }
    story.interrupt(inSleep: 3)
    let first = await Task { await story.deploy("apply", "--yes") }.value
    #expect(first.status == 1)
    #expect(
      first.text.hasSuffix("interrupted: run the same command again, it goes on where this one stopped"),
      "\(first.text)")
    #expect(story.cluster.object("Lease", "bashupload-deploy") == nil)
    story.cluster.state.withLock { $0.slowImages = [] }
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    let second = await story.deploy("apply", "--yes")
    #expect(second.status == 0, "\(second.text)")
  }

  @Test func aLockIsOldWhenNobodyHasRenewedIt() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    try story.write(Example.with("maxAge: 1h", "maxAge: 2h"))
    // Begun long ago and alive.
    Self.lock(story, holder: "eve@laptop/1", acquired: "2026-11-22T02:00:00Z", renewed: "2026-11-22T11:59:00Z")
    let refused = await story.deploy("apply", "--yes")
    #expect(
      refused.status == 1 && refused.text.contains("eve@laptop is deploying since 2026-11-22T02"), "\(refused.text)")
    // Another run of the same person is another run.
    Self.lock(story, holder: "ops@desk/1", acquired: "2026-11-22T11:59:00Z")
    #expect(await story.deploy("apply", "--yes").text.contains("ops@desk is deploying since"))
    let destroy = await story.deploy("destroy", "--confirm", "bashupload.app")
    #expect(destroy.status == 1 && destroy.text.contains("ops@desk is deploying since"), "\(destroy.text)")
    #expect(story.cluster.object("DaemonSet", "bashupload") != nil)
    #expect(story.cluster.object("Lease", "bashupload-deploy") != nil, "it is not ours to give back")
    Self.lock(story, holder: "ops@desk/1", acquired: "2026-11-22T11:20:00Z")
    let taken = await story.deploy("apply", "--yes")
    #expect(taken.status == 0 && taken.text.contains("is too old and has been taken over"), "\(taken.text)")
  }

  @Test func aSecretThatWasMadeByHandBecomesOurs() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.add(secret: "bashupload-r2", data: ["R2_BUCKET_NAME": "b2xk", "R2_ACCOUNT_ID": "b2xk"])
    #expect(await story.deploy("plan").text.contains("data.R2_BUCKET_NAME: - (not shown)"))
    let apply = await story.deploy("apply", "--yes")
    #expect(apply.status == 0, "\(apply.text)")
    let keys = story.cluster.object("Secret", "bashupload-r2")?["data"]?.members.keys.sorted()
    #expect(
      keys == ["PASSWORD", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"], "another bucket would win over the file's")
    let plan = await story.deploy("plan")
    #expect(plan.status == 0, "\(plan.text)")
  }

  @Test func aCleanerThatStoodStillForLongIsNotFine() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    _ = await story.deploy("apply", "--yes")
    func cleanup() async -> String {
      await story.deploy("verify").text.split(separator: "\n").last.map(String.init) ?? ""
    }
    #expect(await cleanup() == "ok   cleanup: last good run 5m ago")
    story.cluster.change("CronJob", "bashupload-cleanup") { job in
      job["status"] = ["lastSuccessfulTime": "2026-08-31T12:00:00Z"]
    }
    #expect(await cleanup().hasPrefix("FAIL cleanup: last good run 83d ago, and the schedule is */5 * * * *: kubectl "))
    story.cluster.change("CronJob", "bashupload-cleanup") { job in
      job["status"] = [:]
      job["metadata"]?["creationTimestamp"] = "2026-11-22T11:50:00Z"
    }
    #expect(await cleanup() == "ok   cleanup: has not run yet")
    story.cluster.change("CronJob", "bashupload-cleanup") { job in
      job["metadata"]?["creationTimestamp"] = "2026-11-22T07:50:00Z"
    }
    #expect(await cleanup().hasPrefix("FAIL cleanup: no good run since it was made 4h ago"))
    story.cluster.change("CronJob", "bashupload-cleanup") { $0["spec"]?["schedule"] = "30 3 * * *" }
    #expect(await cleanup() == "ok   cleanup: has not run yet")
    // A pod of it has failed, and another one is at it.
    story.cluster.state.withLock { $0.addCleanup("run", image: "x") }
    story.cluster.change("Job", "run") { $0["status"] = ["failed": 1, "active": 1] }
    #expect(await cleanup() == "ok   cleanup: has not run yet")
    story.cluster.change("Job", "run") {
      $0["status"] = ["failed": 3, "conditions": [["type": "Failed", "status": "True"]]]
    }
    #expect(await cleanup().hasPrefix("FAIL cleanup: the last run failed: kubectl --namespace bashupload logs job/run"))
  }

  @Test func whoNamesNoClusterIsToldHow() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    story.cluster.state.withLock { state in
      state.isServerAway = true
      state.complaintOfServer =
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
    }
    let plan = await story.deploy("plan")
    #expect(plan.status == 1 && plan.text.contains("KUBECONFIG names the cluster"), "\(plan.text)")
  }
}
