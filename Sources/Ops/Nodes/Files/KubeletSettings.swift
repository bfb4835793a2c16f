import UploadCore

/// The kubelet's drop-in (k3s 1.32 and newer read the folder): reserves, eviction and log rotation by the size of the node.
struct KubeletSettings {
  let node: NodeSpec

  /// Seconds that transfers may go on.
  let grace: Int

  init(_ node: NodeSpec, grace: Int) {
    self.node = node
    self.grace = grace
  }

  /// Seconds for the pods that the others need (CoreDNS).
  private static let criticalGrace = 20

  /// MiB that pods do not get, because containerd, kubelet and, on a server, the control plane need them.
  var kubeReserved: Int {
    node.role == .edge ? share(15, from: 100, to: 300) : share(40, from: 400, to: 900)
  }

  /// MiB for sshd, journald and the kernel's own.
  var systemReserved: Int { share(10, from: 100, to: 200) }

  private func share(_ percent: Int64, from least: Int, to most: Int) -> Int {
    min(most, max(least, Int(node.memory.bytes / 100 * percent / (1 << 20))))
  }

  var file: NodeFile {
    NodeFile(
      "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-bashupload.conf",
      lines: [
        NodeFile.header("The kubelet of \(node.name), a node with \(SizeText.short(node.memory.bytes))"),
        "apiVersion: kubelet.config.k8s.io/v1beta1",
        "kind: KubeletConfiguration",
        "kubeReserved: {cpu: 100m, memory: \(kubeReserved)Mi}",
        "systemReserved: {cpu: 100m, memory: \(systemReserved)Mi}",
        "# All four: naming one turns the others off.",
        "evictionHard: {memory.available: 100Mi, nodefs.available: 10%, imagefs.available: 15%, nodefs.inodesFree: 5%}",
        "evictionSoft: {memory.available: 200Mi}",
        "evictionSoftGracePeriod: {memory.available: 1m30s}",
        "evictionMaxPodGracePeriod: 60",
        "containerLogMaxSize: 10Mi",
        "containerLogMaxFiles: 3",
        "imageGCHighThresholdPercent: 75",
        "imageGCLowThresholdPercent: 60",
        "maxPods: \(node.memory.bytes < 4 << 30 ? 30 : 110)",
        "podPidsLimit: 1024",
        "serializeImagePulls: true",
        "# A machine that reboots lets transfers end: the pods have the first part, what the node itself needs the rest.",
        "shutdownGracePeriod: \(PodGrace.seconds(grace) + Self.criticalGrace)s",
        "shutdownGracePeriodCriticalPods: \(Self.criticalGrace)s",
      ])
  }
}
