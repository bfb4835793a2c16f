/// Makes the cluster what a plan says, in an order in which every step can be repeated.
struct Applier: Sendable {
  let kubectl: Kubectl
  let context: DeployContext
  let timeout: Int

  /// Namespaces first: a dry run and everything else in them needs them, Secrets included.
  func applyNamespaces(_ desired: [KubernetesObject]) async throws {
    try await kubectl.apply(desired.filter { $0.kind == "Namespace" })
  }

  /// cert-manager brings its kinds when it starts; before that the API knows no ClusterIssuer.
  func installCertManager(_ desired: [KubernetesObject]) async throws {
    let charts = desired.filter { $0.kind == "HelmChart" && $0.name == "cert-manager" }
    let kinds = ["certificates.cert-manager.io", "clusterissuers.cert-manager.io"]
    guard desired.contains(where: { $0.identity.group == "cert-manager.io" }), try await !knows(kinds) else { return }
    try await kubectl.apply(charts)
    try await Wait(context: context, name: "cert-manager", deadline: timeout).until {
      try await knows(kinds) ? .done : .pending("its kinds are not known to the API yet")
    }
    try await Wait(context: context, name: "cert-manager webhook", deadline: timeout).until {
      let deployment = try await kubectl.object("deployments", "cert-manager-webhook", namespace: "cert-manager")
      let ready = deployment?.value.at("status", "readyReplicas")?.integer ?? 0
      return ready > 0 ? .done : .pending("not ready")
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
  func applySecrets(_ secrets: SecretPlan) async throws {
    if !secrets.notes.isEmpty {
      throw DeployCommand.Failure("secrets are missing:\n" + secrets.notes.map { "  \($0)" }.joined(separator: "\n"))
    }
    try await kubectl.apply(secrets.objects)
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
  }

  func waitUntilItRuns() async throws {
    let rollout = Rollout(kubectl: kubectl, context: context, timeout: timeout)
    try await rollout.waitForCertificate()
    try await rollout.waitForPods()
  }
}
