/// Settings that guides for such nodes recommend and that do harm or nothing there. Who writes one into the cluster file
/// gets the reason instead of "unknown key".
package enum Tips {
  /// One of them.
  package struct Tip: Sendable {
    /// As the guides write it; letters and digits count, so `pauseImage` is `pause-image`.
    package var names: [String]
    package var reason: String
    /// The page of `deploy explain`.
    package var topic: String

    /// - Parameter name: as it was written, where the place alone does not say it.
    func refusal(of name: String?) -> String {
      "\(name.map { "\($0) " } ?? "")is refused: \(reason); bashupload deploy explain \(topic)"
    }
  }

  package static let all: [Tip] = [
    Tip(
      names: ["node-status-update-frequency"],
      reason: "10s is the default, and a node counts as lost after 50 s anyway",
      topic: "kubelet-status-frequency"),
    Tip(
      names: ["quota-backend-bytes"],
      reason: "8 GiB is the suggested maximum of etcd and more than such a node can hold; the default is 2 GiB",
      topic: "etcd-tuning"),
    Tip(
      names: ["max-request-bytes"], reason: "it lets larger requests in, it keeps none out; the default is 1.5 MiB",
      topic: "etcd-tuning"),
    Tip(
      names: ["dns-forward-max-per-host", "coredns"],
      reason: "CoreDNS has no such flag, and the edges ask their node's resolver", topic: "coredns"),
    Tip(
      names: ["pause-image", "pod-infra-container-image"],
      reason: "k8s.gcr.io has been frozen since 2023, and k3s brings its own of 0.3 MB", topic: "pause-image"),
    Tip(
      names: ["iptables", "iptables-rules", "firewall-rules"],
      reason: "the firewall is a table of its own, made from nodes and access", topic: "firewall"),
    Tip(names: ["kubeadm", "kubeadm-config"], reason: "k3s has no kubeadm; deploy upgrade does it", topic: "upgrade"),
    Tip(
      names: ["eviction-hard", "eviction-soft"],
      reason: "naming one signal turns the others off, and 500Mi is a quarter of the node; the drop-in has all four",
      topic: "kubelet"),
    Tip(
      names: ["kube-reserved", "system-reserved"], reason: "both are computed from nodes.memory", topic: "kubelet"),
    Tip(
      names: ["audit-log-path", "audit-policy-file"],
      reason: "a path without a policy writes nothing; features.audit writes both", topic: "audit"),
    Tip(
      names: ["pod-security-policy", "psp"], reason: "it is gone since Kubernetes 1.25; Pod Security Admission is on",
      topic: "pod-security"),
    Tip(
      names: ["ingress-nginx", "nginx-ingress", "ingress-controller"],
      reason: "ingress-nginx ended in March 2026, and a central ingress carries every byte twice",
      topic: "ingress-nginx"),
    Tip(
      names: ["hsts", "strict-transport-security"],
      reason: "curl host -T file on plain HTTP is a feature of the service", topic: "ingress-nginx"),
    Tip(
      names: ["ddns", "dynamic-dns"], reason: "k3s has to know a changed address too: features.dynamicAddress",
      topic: "dynamic-address"),
    Tip(
      names: ["argo", "argo-tunnel", "cloudflared"],
      reason: "it is features.tunnel, for the API only: proxied uploads end at 100 MB", topic: "tunnel"),
    Tip(names: ["ipsec"], reason: "WireGuard is a protocol of its own: mesh.type wireguardNative", topic: "meshes"),
    Tip(
      names: ["fluentd", "log-collector", "log-sidecar"],
      reason: "a sidecar without a shared volume ships nothing: features.logs is one agent per node", topic: "logs"),
    Tip(
      names: ["container-log-max-age", "log-max-age"], reason: "the kubelet rotates by size and knows no age",
      topic: "logs"),
    Tip(
      names: ["priority-class-name", "spot-priority"],
      reason: "a class that does not exist makes the pod refused; features.spot brings what is needed", topic: "spot"),
  ]

  /// Arguments that deploy sets itself.
  private static let managed = Tip(
    names: [
      "node-ip", "node-external-ip", "node-name", "node-label", "node-labels", "node-taint", "register-with-taints",
      "token", "server", "tls-san", "flannel-backend", "flannel-iface", "cluster-init", "disable", "data-dir",
      "secrets-encryption", "protect-kernel-defaults", "admission-control-config-file", "config", "config-dir",
    ], reason: "deploy sets it itself, from nodes, mesh and kubernetes", topic: "node-setup")

  /// The tip that an argument is, or that it is ours to set; `nil`: neither.
  static func tip(forArgument name: String) -> Tip? { tip(for: name) ?? (managed.names.contains(name) ? managed : nil) }

  /// The tip that a key or an argument is; `nil`: none.
  package static func tip(for word: String) -> Tip? {
    let plain = plain(word)
    return all.first { $0.names.contains { Self.plain($0) == plain } }
  }

  private static func plain(_ word: String) -> String { word.lowercased().filter { $0.isLetter || $0.isNumber } }
}
