/// Why pods do not become ready, in the words of the cluster: reason, events, last lines of the log.
struct Diagnosis: Sendable {
  let kubectl: Kubectl

  /// Lines for the operator. Asking may fail as well: then that is a line.
  func lines() async -> [String] {
    do {
      var lines: [String] = []
      let pods = try await Rollout.pods(kubectl)
      for pod in pods where !pod.isReady {
        lines += try await about(pod)
      }
      lines += try await missing(pods.count)
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
    lines += try await events("Pod", pod.name)
    let troubled = pod.trouble?.container ?? ""
    for container in (troubled.isEmpty ? [] : [troubled]) + pod.unready.filter({ $0 != troubled }) {
      var log = ""
      // What does not run has said why before it ended; what runs says it now.
      if container == troubled { log = try await kubectl.log(pod: pod.name, container: container, previous: true) }
      if log.isEmpty { log = try await kubectl.log(pod: pod.name, container: container, previous: false) }
      lines += log.split(separator: "\n").suffix(10).map { "  \(container) | \($0)" }
    }
    return lines
  }

  /// A pod that the API refuses does not exist, and its DaemonSet says why.
  private func missing(_ count: Int) async throws -> [String] {
    let daemonSet = try await kubectl.object("daemonsets", "bashupload")
    let desired = daemonSet?.value.at("status", "desiredNumberScheduled")?.integer ?? 0
    if count > 0, count >= desired { return [] }
    let found = try await events("DaemonSet", "bashupload")
    return ["daemonset bashupload: \(count) of \(desired) pods exist"] + found
  }

  /// The last ones about an object.
  private func events(_ kind: String, _ name: String) async throws -> [String] {
    let all = try await kubectl.get("events").filter { event in
      let object = event.value["involvedObject"]
      return object?["name"]?.string == name && (object?["kind"]?.string ?? kind) == kind
    }
    return all.sorted { Self.time($0) < Self.time($1) }.suffix(5).map { event in
      let text = event.value["message"]?.string?.split(separator: "\n").first.map(String.init) ?? ""
      return "  event \(event.value["reason"]?.string ?? ""): \(text)"
    }
  }

  /// Newer reporters write only the second.
  static func time(_ event: KubernetesObject) -> Int {
    let text = event.value["lastTimestamp"]?.string ?? event.value["eventTime"]?.string ?? ""
    return KubernetesTime.seconds(text) ?? 0
  }
}
