/// Why pods do not become ready, in the words of the cluster: reason, events, last lines of the log.
struct Diagnosis: Sendable {
  let kubectl: Kubectl

  /// Lines for the operator. Asking may fail as well: then that is a line.
  func lines() async -> [String] {
    do {
      var lines: [String] = []
      for pod in try await Rollout.pods(kubectl) where !pod.isReady {
        lines += try await about(pod)
      }
      return lines.isEmpty ? ["all pods that exist are ready"] : lines
    } catch {
      return ["the reason could not be asked for: \(error)"]
    }
  }

  private func about(_ pod: PodState) async throws -> [String] {
    var lines = ["pod \(pod.name) on \(pod.node): not ready, \(pod.restarts) restarts"]
    if let trouble = pod.trouble {
      lines.append("  \(trouble.container.isEmpty ? "" : "\(trouble.container): ")\(trouble.reason) \(trouble.message)")
    }
    for event in try await events(pod.name).suffix(5) {
      let text = event.value["message"]?.string?.split(separator: "\n").first.map(String.init) ?? ""
      lines.append("  event \(event.value["reason"]?.string ?? ""): \(text)")
    }
    if let container = pod.trouble?.container, !container.isEmpty {
      var log = try await kubectl.log(pod: pod.name, container: container, previous: true)
      if log.isEmpty { log = try await kubectl.log(pod: pod.name, container: container, previous: false) }
      lines += log.split(separator: "\n").suffix(10).map { "  \(container) | \($0)" }
    }
    return lines
  }

  private func events(_ pod: String) async throws -> [KubernetesObject] {
    try await kubectl.get("events").filter { $0.value.at("involvedObject", "name")?.string == pod }.sorted {
      ($0.value["lastTimestamp"]?.string ?? "") < ($1.value["lastTimestamp"]?.string ?? "")
    }
  }
}
