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
      if ready?["status"]?.string == "True" { return .done }
      return .pending(ready?["message"]?.string ?? "cert-manager has not looked at it yet")
    }
  }

  func waitForPods() async throws {
    var looks = 0
    try await Wait(context: context, name: "rollout", deadline: timeout).until {
      guard let daemonSet = try await kubectl.object("daemonsets", "bashupload") else {
        return .pending("the DaemonSet is not there yet")
      }
      if Self.isComplete(daemonSet) { return .done }
      let pods = try await Self.pods(kubectl)
      let trouble = pods.compactMap { pod in pod.trouble.map { (pod, $0) } }.first {
        PodState.lasting.contains($1.reason)
      }
      looks = trouble == nil ? 0 : looks + 1
      if let (pod, trouble) = trouble, looks >= Self.patience {
        return .failed("\(pod.name) on \(pod.node): \(trouble.reason)")
      }
      return .pending(Self.progress(daemonSet) + (trouble.map { "; \($0.0.name): \($0.1.reason)" } ?? ""))
    }
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

  static func progress(_ daemonSet: KubernetesObject) -> String {
    let status = daemonSet.value["status"]
    let desired = status?["desiredNumberScheduled"]?.integer ?? 0
    if desired == 0 { return "no node has the label bashupload.app/role=edge" }
    let ready = status?["numberReady"]?.integer ?? 0
    let updated = status?["updatedNumberScheduled"]?.integer ?? 0
    let available = status?["numberAvailable"]?.integer ?? 0
    return "\(updated) of \(desired) pods are new, \(ready) ready"
      + (ready > available ? ", \(available) for long enough" : "")
  }
}
