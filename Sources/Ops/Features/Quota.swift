/// The ResourceQuota of the namespace, from the number of edges: a DaemonSet has a pod on each, and a quota that does not
/// grow with them refuses the pod of the last one.
package struct Quota: Hashable, Sendable {
  /// Milli-CPUs and MiB.
  package struct Demand: Hashable, Sendable {
    package var cpu: Int
    package var memory: Int
    package var memoryLimit: Int
  }

  /// What one pod of the DaemonSet asks for, both containers together; a test holds it to the tree's own numbers.
  package static let edgePod = Demand(cpu: 150, memory: 176, memoryLimit: 512)
  /// What one run of the cleanup asks for.
  package static let cleanupPod = Demand(cpu: 20, memory: 48, memoryLimit: 128)

  package var cpu: Int
  package var memory: Int
  package var memoryLimit: Int
  package var pods: Int

  /// Room for one pod more than there are edges (the old one may still be ending) and for two runs of the cleanup.
  package init(edges: Int) {
    cpu = (edges + 1) * Self.edgePod.cpu + 2 * Self.cleanupPod.cpu
    memory = (edges + 1) * Self.edgePod.memory + 2 * Self.cleanupPod.memory
    memoryLimit = (edges + 1) * Self.edgePod.memoryLimit + 2 * Self.cleanupPod.memoryLimit
    pods = edges + 1 + 2
  }

  /// As Kubernetes writes them.
  package var limits: [(name: String, value: String)] {
    [
      ("limits.memory", "\(memoryLimit)Mi"), ("pods", "\(pods)"), ("requests.cpu", "\(cpu)m"),
      ("requests.memory", "\(memory)Mi"),
    ]
  }
}
