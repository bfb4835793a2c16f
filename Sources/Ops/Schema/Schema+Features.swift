extension Schema {
  private static func feature(_ name: String, _ manual: String) -> SchemaKey { feature(name, [], manual) }

  private static func feature(_ name: String, _ more: [SchemaKey], _ manual: String) -> SchemaKey {
    let enabled = SchemaKey("enabled", .scalar(.flag), .optional("false"), "true: on.")
    return SchemaKey(name, .section([enabled] + more), .optional(nil), manual)
  }

  static let features: [SchemaKey] = [
    feature(
      "monitoring",
      "Prometheus on the control node and node_exporter everywhere, with alerts: about 250 MB there, 20 MB each."
    ),
    feature(
      "logs",
      [
        SchemaKey(
          "loki",
          .section([
            SchemaKey("url", .scalar(.url("https", "http")), .required, "The push address."),
            SchemaKey("username", .scalar(.text), .optional(nil), "For Basic authentication."),
            SchemaKey("password", .secret, .optional(nil), "For Basic authentication."),
          ]), .optional(nil), "Where the logs go.")
      ],
      "One agent per node that ships logs to a Loki elsewhere: about 60 MB each. The kubelet rotates logs without it."),
    feature("quota", "A ResourceQuota of the namespace, computed from the number of edges so that no pod is refused."),
    feature(
      "audit",
      [
        SchemaKey(
          "level", .scalar(.word("Metadata", "Request", "RequestResponse")), .optional("Metadata"),
          "How much of a request is written down; more than Metadata is heavy on small disks.")
      ], "The audit log of the Kubernetes API on the control nodes."),
    feature("upgradeController", "Upgrades of k3s by system-upgrade-controller instead of over ssh: privileged pods."),
    feature("vpa", "Recommendations of the Vertical Pod Autoscaler, never applied by it: three more pods, 150 MB."),
    feature("spot", "The service tolerates the taint of nodes with spot: true, and the cleanup prefers others."),
    feature(
      "descheduler", "Moves pods for balance. It never moves those of a DaemonSet, so it has nothing to do here."),
    feature("falco", "Runtime detection by system calls: 150 MB to 1.5 GB on each node."),
    feature("longhorn", "Replicated disks: nothing here uses them, and they want 4 processors and 4 GiB per node."),
    feature(
      "tunnel", [SchemaKey("token", .secret, .optional(nil), "The token of the Cloudflare Tunnel.")],
      "cloudflared, as a way to the Kubernetes API without an open port. Not for uploads: proxied bodies end at 100 MB."
    ),
    feature(
      "keepalived",
      [SchemaKey("virtualAddress", .scalar(.address), .optional(nil), "The address that moves between them.")],
      "A virtual address for several control nodes on one network segment."),
    feature(
      "dynamicAddress",
      [SchemaKey("every", .scalar(.duration(10...86_400)), .optional("60s"), "Time between two looks.")],
      "For nodes whose public address changes: it is read again, and k3s is told."),
  ]
}
