/// A pod, as far as an operator wants to know it.
package struct PodState: Hashable, Sendable {
  package var name: String
  package var node: String
  package var isReady: Bool
  package var restarts: Int
  /// Why a container does not run, with its name; `nil`: all run.
  package var trouble: Trouble?
  /// Containers that are not ready, whether they run or not.
  package var unready: [String]
  /// Since when it is ready or not, in seconds since 1970.
  package var changed: Int?
  /// Of which version of the DaemonSet's template it is.
  package var generation: String?
  package var isEnding: Bool

  /// A container that does not run.
  package struct Trouble: Hashable, Sendable {
    package var container: String
    package var reason: String
    package var message: String
  }

  /// Reasons that do not go away by waiting.
  static let lasting: Set<String> = [
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError",
  ]

  package init(_ pod: KubernetesObject) {
    name = pod.name
    node = pod.value.at("spec", "nodeName")?.string ?? "-"
    let status = pod.value["status"]
    let ready = status?["conditions"]?.array.first { $0["type"]?.string == "Ready" }
    isReady = ready?["status"]?.string == "True"
    changed = ready?["lastTransitionTime"]?.string.flatMap { KubernetesTime.seconds($0) }
    generation = pod.value.at("metadata", "labels", "pod-template-generation")?.string
    isEnding = pod.value.at("metadata", "deletionTimestamp") != nil
    let containers = (status?["initContainerStatuses"]?.array ?? []) + (status?["containerStatuses"]?.array ?? [])
    unready = (status?["containerStatuses"]?.array ?? []).filter { $0["ready"]?.bool == false }.compactMap {
      $0["name"]?.string
    }
    restarts = containers.map { $0["restartCount"]?.integer ?? 0 }.reduce(0, +)
    trouble = containers.lazy.compactMap(Self.trouble).first ?? Self.unscheduled(status)
  }

  private static func trouble(_ container: JSONValue) -> Trouble? {
    let waiting = container.at("state", "waiting")
    guard let reason = waiting?["reason"]?.string, reason != "ContainerCreating", reason != "PodInitializing" else {
      return nil
    }
    var message = waiting?["message"]?.string ?? ""
    if let last = container.at("lastState", "terminated") {
      let code = last["exitCode"]?.integer.map { ", exit status \($0)" } ?? ""
      message += " (ended before: \(last["reason"]?.string ?? "?")\(code))"
    }
    return Trouble(container: container["name"]?.string ?? "", reason: reason, message: message)
  }

  private static func unscheduled(_ status: JSONValue?) -> Trouble? {
    let condition = status?["conditions"]?.array.first {
      $0["type"]?.string == "PodScheduled" && $0["status"]?.string == "False"
    }
    return condition.map {
      Trouble(container: "", reason: $0["reason"]?.string ?? "Unschedulable", message: $0["message"]?.string ?? "")
    }
  }
}
