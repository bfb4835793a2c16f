/// Makes the cluster what a plan says, in an order in which every step can be repeated.
struct Applier: Sendable {
  let kubectl: Kubectl
  let context: DeployContext
  let timeout: Int

  /// Namespaces first: a dry run and everything else in them needs them, Secrets included.
  func applyNamespaces(_ desired: [KubernetesObject]) async throws {
    try await kubectl.apply(desired.filter { $0.kind == "Namespace" })
  }

  private static let adviceOnCertManager =
    "kubectl --namespace cert-manager get pods,events says why; then run apply again, it goes on from here"

  /// cert-manager brings its kinds when it starts; before that the API knows no ClusterIssuer.
  func installCertManager(_ desired: [KubernetesObject]) async throws {
    let charts = desired.filter { $0.kind == "HelmChart" && $0.name == "cert-manager" }
    let kinds = ["certificates.cert-manager.io", "clusterissuers.cert-manager.io"]
    guard desired.contains(where: { $0.identity.group == "cert-manager.io" }) else { return }
    if try await !knows(kinds) {
      try await kubectl.apply(charts)
      try await Wait(
        context: context, name: "cert-manager", deadline: timeout, advice: Self.adviceOnCertManager
      ).until {
        try await knows(kinds) ? .done : .pending("its kinds are not known to the API yet")
      }
    }
    try await waitForWebhook(desired.filter { $0.kind == "ClusterIssuer" })
  }

  /// A webhook whose pod is ready is refused until the API server has its certificate. Only a dry run of what it shall
  /// judge tells, and an earlier run may have ended in between: so it is asked each time.
  private func waitForWebhook(_ issuers: [KubernetesObject]) async throws {
    if (try? await kubectl.predicted(issuers)) != nil { return }
    try await Wait(
      context: context, name: "cert-manager webhook", deadline: timeout, advice: Self.adviceOnCertManager
    ).until {
      do {
        _ = try await kubectl.predicted(issuers)
        return .done
      } catch let error as KubectlError {
        // It has judged: waiting changes nothing.
        if error.complaint.contains("denied the request") || error.complaint.contains("is invalid") {
          return .failed(error.brief)
        }
        return .pending(error.brief)
      }
    }
  }

  private func knows(_ kinds: [String]) async throws -> Bool {
    for kind in kinds {
      let found = try await kubectl.get("customresourcedefinitions", name: kind, namespace: "default")
      if found.isEmpty { return false }
    }
    return true
  }

  /// Secrets are not in the pruned set: a rollback applies an old set and keeps today's Secrets.
  /// - Returns: the way back.
  func applySecrets(_ secrets: SecretPlan) async throws -> ReplacedSecrets {
    if !secrets.notes.isEmpty {
      throw DeployCommand.Failure("secrets are missing:\n" + secrets.notes.map { "  \($0)" }.joined(separator: "\n"))
    }
    var replaced = try await ReplacedSecrets(secrets, kubectl: kubectl)
    try await replaced.keep()
    for secret in secrets.objects { try await dropForeignKeys(secret) }
    try await kubectl.apply(secrets.objects)
    return replaced
  }

  /// Puts back what `applySecrets` has replaced, when the new ones turn out to be wrong.
  func restore(_ replaced: ReplacedSecrets) async throws {
    for secret in try await replaced.restore() {
      context.say("Secret \(secret.namespace)/\(secret.name): as it was before")
    }
  }

  /// A Secret that somebody has made by hand has owners of its keys that server-side apply leaves alone, and what is in a
  /// Secret overrules the ConfigMap: another bucket, say. Replaced and not deleted: a pod may be starting just now.
  private func dropForeignKeys(_ secret: KubernetesObject) async throws {
    guard let live = try await kubectl.object("secrets", secret.name, namespace: secret.namespace) else { return }
    let wanted = Set((secret.value["data"]?.members ?? [:]).keys)
    guard !wanted.isSuperset(of: (live.value["data"]?.members ?? [:]).keys) else { return }
    var next = secret
    next.value["metadata"]?["resourceVersion"] = live.value.at("metadata", "resourceVersion")
    guard try await kubectl.replace(next) else {
      throw DeployCommand.Failure("\(secret.identity) was changed by somebody else meanwhile: run apply again")
    }
  }

  /// Before the rest, so that the pods are replaced once and not twice.
  func removeForeignFields(_ desired: [KubernetesObject]) async throws {
    for identity in try await kubectl.removeForeignFields(desired) {
      context.say("\(identity): fields that others had added are removed")
    }
  }

  /// A controller whose pods were refused waits longer after each try, minutes in the end. A mark on its object makes it look
  /// again at once: the cause may be gone since.
  /// It only saves time, so an API server that is away for a moment is no reason to stop.
  func wakeController() async throws {
    guard let daemonSet = try? await kubectl.object("daemonsets", "bashupload") else { return }
    let desired = daemonSet.value.at("status", "desiredNumberScheduled")?.integer ?? 0
    let current = daemonSet.value.at("status", "currentNumberScheduled")?.integer ?? desired
    guard current < desired, (try? await Rollout.refusal(kubectl, daemonSet)) ?? nil != nil else { return }
    try await kubectl.annotate(daemonSet, "bashupload.app/woken", String(context.now()))
    context.say("pods of the service were refused: its controller looks again now")
  }

  /// Everything but our own namespace, in which the mark of the main set lives. Objects of the whole cluster belong to the
  /// main set, which comes last: a namespace that is no longer wanted goes with it.
  func applyAll(_ objects: [KubernetesObject]) async throws {
    let own = Kubectl.namespace
    let sets = Dictionary(grouping: objects.filter { $0.kind != "Namespace" || $0.name != own }) { object in
      object.namespace.isEmpty ? own : object.namespace
    }
    for (namespace, members) in sets.sorted(by: { $0.key < $1.key }) where namespace != own {
      try await kubectl.applyPruning(members, namespace: namespace)
    }
    // kubectl does not prune with an empty set, so a set that has nothing left is removed here.
    for set in try await kubectl.applySets() where sets[set.namespace] == nil {
      try await kubectl.delete(try await kubectl.owned(by: set) + [set])
    }
    try await kubectl.applyPruning(sets[own] ?? [], namespace: own)
    try await endCleanupsOfOtherVersions(objects)
    try await waitForRemovedNamespaces()
  }

  /// A run whose image cannot be had waits for it until its deadline, and no other may begin meanwhile. The next one goes on
  /// where this one stopped.
  private func endCleanupsOfOtherVersions(_ objects: [KubernetesObject]) async throws {
    guard let cleaner = objects.first(where: { $0.kind == "CronJob" && $0.name == "bashupload-cleanup" }) else {
      return
    }
    let image = Self.image(cleaner.value.at("spec", "jobTemplate", "spec", "template"))
    try await kubectl.delete(
      try await kubectl.get("jobs", selector: "app.kubernetes.io/component=cleanup").filter { run in
        (run.value.at("status", "active")?.integer ?? 0) > 0
          && Self.image(run.value.at("spec", "template")) != image
      })
  }

  private static func image(_ template: JSONValue?) -> String? {
    template?.at("spec", "containers")?.array.first?["image"]?.string
  }

  /// kubectl prunes without waiting, and a namespace ends when the last pod in it has: until then nothing can be created in
  /// it, and a plan would still find it.
  private func waitForRemovedNamespaces() async throws {
    func leaving() async throws -> [String] {
      try await kubectl.get("namespaces", namespace: nil, selector: "applyset.kubernetes.io/part-of").filter {
        $0.value.at("metadata", "deletionTimestamp") != nil
      }.map(\.name)
    }
    if try await leaving().isEmpty { return }
    try await Wait(
      context: context, name: "removal", deadline: timeout,
      advice: "kubectl get namespace NAME --output=yaml says what holds it; then run apply again, it goes on from here"
    ).until {
      let names = try await leaving()
      return names.isEmpty ? .done : .pending("\(names.joined(separator: ", ")) still ending")
    }
  }

  func waitUntilItRuns() async throws {
    let rollout = Rollout(kubectl: kubectl, context: context, timeout: timeout)
    try await rollout.waitForCertificate()
    try await rollout.waitForPods()
  }
}
