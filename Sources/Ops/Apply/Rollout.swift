/// Whether the DaemonSet runs what it shall. `kubectl rollout status` alone is not believed: just after an apply it can
/// report success with no pod ready.
struct Rollout: Sendable {
  /// Looks in a row at the same lasting trouble before waiting is given up: one minute.
  private static let patience = 12

  let kubectl: Kubectl
  let context: DeployContext
  let timeout: Int

  func waitForCertificate() async throws {
    guard try await kubectl.object("certificates.cert-manager.io", "bashupload-wildcard") != nil else { return }
    try await Wait(context: context, name: "certificate", deadline: timeout).until {
      let certificate = try await kubectl.object("certificates.cert-manager.io", "bashupload-wildcard")
      let ready = certificate?.value.at("status", "conditions")?.array.first { $0["type"]?.string == "Ready" }
      // What it says of another list of names is old.
      let seen = ready?["observedGeneration"]?.integer
      let isOld = seen.map { $0 != certificate?.value.at("metadata", "generation")?.integer } ?? false
      if !isOld, ready?["status"]?.string == "True" { return .done }
      return .pending(ready?["message"]?.string ?? "cert-manager has not looked at it yet")
    }
  }

  func waitForPods() async throws {
    var looks = 0
    var refusals = 0
    try await Wait(context: context, name: "rollout", deadline: timeout).until {
      guard let daemonSet = try await kubectl.object("daemonsets", "bashupload") else {
        return .pending("the DaemonSet is not there yet")
      }
      if Self.isComplete(daemonSet) { return .done }
      var pods = try await Self.pods(kubectl)
      let away = try await kubectl.edgesAway()
      pods.removeAll { away.contains($0.node) }
      if !away.isEmpty, let state = try await goOn(daemonSet, pods, without: away) { return state }
      if let refusal = try await Self.refusal(kubectl, daemonSet) {
        refusals += 1
        if refusals >= Self.patience { return .failed(refusal) }
        return .pending(Self.progress(daemonSet, labelled: try await labelled()) + "; \(refusal)")
      }
      refusals = 0
      let trouble = pods.compactMap { pod in pod.trouble.map { (pod, $0) } }.first {
        PodState.lasting.contains($1.reason)
      }
      looks = trouble == nil ? 0 : looks + 1
      if let (pod, trouble) = trouble, looks >= Self.patience {
        return .failed("\(pod.name) on \(pod.node): \(trouble.reason)")
      }
      return .pending(
        Self.progress(daemonSet, labelled: try await labelled())
          + (trouble.map { "; \($0.0.name): \($0.1.reason)" } ?? ""))
    }
  }

  /// A pod on a node that is away counts as one that is down, and of those the controller wants no more than one: it would replace
  /// none until the node is back. So the pods of the others are replaced here, one after the other, each as proven as the
  /// controller wants them.
  ///
  /// `nil`: there is something to wait for.
  private func goOn(_ daemonSet: KubernetesObject, _ pods: [PodState], without away: Set<String>) async throws
    -> Wait.State?
  {
    let metadata = daemonSet.value["metadata"]
    let desired = Int(daemonSet.value.at("status", "desiredNumberScheduled")?.integer ?? 0)
    guard let generation = metadata?["annotations"]?["deprecated.daemonset.template.generation"]?.string,
      daemonSet.value.at("status", "observedGeneration")?.integer == metadata?["generation"]?.integer,
      !pods.isEmpty, pods.count >= desired - away.count
    else { return nil }
    let proof = Int(daemonSet.value.at("spec", "minReadySeconds")?.integer ?? 0)
    guard pods.allSatisfy({ $0.isReady && !$0.isEnding && context.now() - ($0.changed ?? 0) >= proof }) else {
      return nil
    }
    let names = away.sorted().joined(separator: ", ")
    guard let old = pods.first(where: { $0.generation != generation }) else {
      context.say("\(names) not ready: the pod there is replaced when the node is back")
      return .done
    }
    try await kubectl.delete([
      KubernetesObject([
        "apiVersion": "v1", "kind": "Pod",
        "metadata": ["name": .string(old.name), "namespace": .string(Kubectl.namespace)],
      ])
    ])
    let new = pods.count { $0.generation == generation }
    return .pending("\(new) of \(pods.count) pods are new, and \(names) not ready")
  }

  /// Edges that have the label, ready or not.
  private func labelled() async throws -> Int {
    try await kubectl.get("nodes", namespace: nil, selector: "bashupload.app/role=edge").count
  }

  /// Why the API refuses pods of it, in the words of the newest event; `nil`: none is missing, or none was refused lately. A
  /// refused pod does not exist, so no pod says it.
  static func refusal(_ kubectl: Kubectl, _ daemonSet: KubernetesObject) async throws -> String? {
    let desired = daemonSet.value.at("status", "desiredNumberScheduled")?.integer ?? 0
    let current = daemonSet.value.at("status", "currentNumberScheduled")?.integer ?? desired
    guard current < desired else { return nil }
    // What was refused before the last pod was made is over.
    let last = try await kubectl.get("events").filter { event in
      let object = event.value["involvedObject"]
      return ["FailedCreate", "SuccessfulCreate"].contains(event.value["reason"]?.string ?? "")
        && object?["kind"]?.string == "DaemonSet" && object?["name"]?.string == daemonSet.name
    }.max { Diagnosis.time($0) < Diagnosis.time($1) }
    guard let last, last.value["reason"]?.string == "FailedCreate" else { return nil }
    let text = last.value["message"]?.string?.split(separator: "\n").first.map(String.init) ?? ""
    return "pods are refused: \(text)"
  }

  static func pods(_ kubectl: Kubectl) async throws -> [PodState] {
    try await kubectl.get(
      "pods", selector: "app.kubernetes.io/name=bashupload,app.kubernetes.io/component=edge"
    ).map(PodState.init).sorted { $0.node < $1.node }
  }

  /// The controller has seen this version, and every desired pod, at least one, is of it and has been ready for
  /// minReadySeconds: one that fails right after its first good answer has not been proven.
  static func isComplete(_ daemonSet: KubernetesObject) -> Bool {
    let status = daemonSet.value["status"]
    let desired = status?["desiredNumberScheduled"]?.integer ?? 0
    return desired > 0
      && status?["observedGeneration"]?.integer == daemonSet.value.at("metadata", "generation")?.integer
      && status?["updatedNumberScheduled"]?.integer == desired && status?["numberAvailable"]?.integer == desired
  }

  static func progress(_ daemonSet: KubernetesObject, labelled: Int = 0) -> String {
    let status = daemonSet.value["status"]
    let desired = status?["desiredNumberScheduled"]?.integer ?? 0
    if desired == 0 {
      return labelled == 0
        ? "no node has the label bashupload.app/role=edge"
        : "\(labelled) nodes have the label bashupload.app/role=edge, and none of them takes pods: kubectl describe nodes says why"
    }
    let ready = status?["numberReady"]?.integer ?? 0
    let updated = status?["updatedNumberScheduled"]?.integer ?? 0
    let available = status?["numberAvailable"]?.integer ?? 0
    return "\(updated) of \(desired) pods are new, \(ready) ready"
      + (ready > available ? ", \(available) for long enough" : "")
  }
}
