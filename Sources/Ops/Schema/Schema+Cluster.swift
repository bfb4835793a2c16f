extension Schema {
  /// Machines, and Kubernetes on them.
  static let cluster: [SchemaKey] = [
    SchemaKey(
      "mesh",
      .section([
        SchemaKey(
          "type", .scalar(.word("wireguardNative", "wireguard", "zerotier", "none")), .optional("wireguardNative"),
          "wireguardNative: k3s makes the tunnels. wireguard: a full mesh by wg-quick. zerotier: an existing network. "
            + "none: one provider's private network."),
        SchemaKey("network", .scalar(.hex(16)), .optional(nil), "The ZeroTier network: 16 hex digits."),
      ]), .optional(nil), "The network between the nodes; exactly one."),
    SchemaKey("kubernetes", .section(kubernetes), .optional(nil), "k3s: version, datastore, snapshots."),
    SchemaKey("access", .section(access), .optional(nil), "How an operator reaches the nodes."),
    SchemaKey(
      "cleanup",
      .section([
        SchemaKey(
          "schedule", .scalar(.cron), .optional("*/5 * * * *"),
          "When the one cleaner of the cluster runs. Expiry itself is checked on every read.")
      ]), .optional(nil), "Removing what has expired."),
    SchemaKey(
      "nodes", .list(.section(node)), .required,
      sample: """
        - { name: cp-1, role: control, address: 203.0.113.10, provider: example, region: eu-1 }
        - { name: edge-1, role: edge, address: 203.0.113.11, provider: example, region: eu-1 }
        """,
      "The servers. One with role all is enough to begin; several control nodes share a provider and a region."),
    SchemaKey(
      "features", .section(features), .optional(nil),
      "Each is a kustomize component or a node option; all are off unless named. What harms 2 GB nodes is refused, "
        + "with the reason, unless --allow names it."),
  ]

  private static let kubernetes: [SchemaKey] = [
    SchemaKey(
      "k3s",
      .section([
        SchemaKey(
          "version", .scalar(.k3sVersion), .required, sample: "v1.33.5+k3s1",
          "The version on every node. Upgrades go one minor version at a time."),
        SchemaKey(
          "sha256",
          .section([
            SchemaKey("amd64", .scalar(.hex(64)), .optional(nil), "The digest of the binary k3s."),
            SchemaKey("arm64", .scalar(.hex(64)), .optional(nil), "The digest of the binary k3s-arm64."),
          ]), .optional(nil),
          "What the downloaded binary has to be, per architecture; from the release's sha256sum-*.txt."),
        SchemaKey(
          "file",
          .section([
            SchemaKey("amd64", .scalar(.path), .optional(nil), "The binary k3s."),
            SchemaKey("arm64", .scalar(.path), .optional(nil), "The binary k3s-arm64."),
          ]), .optional(nil),
          "Binaries on the machine that runs deploy, per architecture: for nodes that cannot download. sha256 still counts."
        ),
        SchemaKey(
          "url", .scalar(.url("https", "http")),
          .optional("https://github.com/k3s-io/k3s/releases/download/{version}/{binary}"),
          "Where nodes download the binary, such as a mirror. {version} and {binary} are replaced; sha256 decides."),
      ]), .optional(nil), sample: "{ version: v1.33.5+k3s1 }", "The k3s binary."),
    SchemaKey(
      "network",
      .section([
        SchemaKey(
          "pods", .scalar(.innerNetwork(8...24)), .optional("10.42.0.0/16"), "Of the pods; each node takes a /24 of it."
        ),
        SchemaKey("services", .scalar(.innerNetwork(12...24)), .optional("10.43.0.0/16"), "Of the Services."),
      ]), .optional(nil),
      "The cluster's own networks, for servers whose addresses are in k3s' (10.42.0.0/16, 10.43.0.0/16). Chosen once: "
        + "Kubernetes cannot change them in a cluster that runs."),
    SchemaKey(
      "datastore", .scalar(.word("etcd", "sqlite")), .optional("etcd"),
      "etcd can make snapshots to R2 and can grow to three control nodes. sqlite needs 250 MB less memory."),
    SchemaKey(
      "snapshots",
      .section([
        SchemaKey("every", .scalar(.duration(3_600...604_800)), .optional("6h"), "Time between two snapshots."),
        SchemaKey("keep", .scalar(.integer(1...1_000)), .optional("12"), "How many are kept."),
        SchemaKey(
          "to", .scalar(.word("r2", "local")), .optional("r2"),
          "r2: the bucket's account, so that they outlive the node. local: the node's disk."),
        SchemaKey(
          "bucket", .scalar(.bucket), .optional(nil),
          "Their bucket; storage's bucket with -snapshots if left out. Never the service's own: what is in that can be "
            + "asked for by its key, and a snapshot holds every Secret. storage's credentials have to reach it."),
      ]), .optional(nil),
      "Snapshots of etcd, in whole hours that divide a day, or in days; other times are rounded to the next shorter one."
    ),
    SchemaKey(
      "arguments",
      .section([
        SchemaKey("kubelet", .list(.scalar(.argument)), .optional(nil), "Of every kubelet."),
        SchemaKey("apiserver", .list(.scalar(.argument)), .optional(nil), "Of the Kubernetes API server."),
        SchemaKey("etcd", .list(.scalar(.argument)), .optional(nil), "Of etcd."),
      ]), .optional(nil),
      "More arguments, each as name=value without dashes. What does harm or nothing on such nodes is refused with the reason."
    ),
  ]

  private static let ssh: [SchemaKey] = [
    SchemaKey(
      "user", .scalar(.user), .optional("root"), "The account; another one than root needs sudo without a password."),
    SchemaKey("port", .scalar(.integer(1...65_535)), .optional("22"), "The port of sshd."),
    SchemaKey(
      "keyFile", .scalar(.path), .optional(nil), sample: "~/.ssh/id_ed25519",
      "The private key on the machine that runs deploy. It is given to ssh by name and never read."),
  ]

  private static let jumpHost = SchemaKey(
    "jumpHost",
    .section([
      SchemaKey("address", .scalar(.host), .required, "Its address or name."),
      SchemaKey("user", .scalar(.user), .optional("root"), "The account there."),
      SchemaKey("port", .scalar(.integer(1...65_535)), .optional("22"), "The port of its sshd."),
    ]), .optional(nil),
    "A host that ssh goes through (ProxyJump); null or nothing: none. With its address, the firewall admits ssh from there "
      + "and from adminCIDRs only.")

  private static let access: [SchemaKey] = [
    SchemaKey(
      "adminCIDRs", .list(.scalar(.cidr)), .optional(nil), sample: "[198.51.100.0/24]",
      "Networks that may reach ssh without a rate limit, and the Kubernetes API."),
    SchemaKey("ssh", .section(ssh), .optional(nil), "How ssh logs in, where a node does not say it otherwise."),
    jumpHost,
    SchemaKey(
      "revertAfter", .scalar(.duration(10...600)), .optional("90s"),
      "A change of firewall or sshd comes back by itself after this time unless a new connection has proven it."),
  ]

  private static let node: [SchemaKey] = [
    SchemaKey("name", .scalar(.name), .required, "The node's name in Kubernetes."),
    SchemaKey(
      "role", .scalar(.word("control", "edge", "all")), .required,
      "control: runs the cluster. edge: serves. all: one server that does both."),
    SchemaKey("address", .scalar(.address4), .required, "The public IPv4 address."),
    SchemaKey(
      "address6", .scalar(.address6), .optional(nil),
      "The public IPv6 address. With mesh wireguardNative and one on every node, pods get IPv6 as well; a node whose public "
        + "IPv4 address is translated needs privateAddress then."),
    SchemaKey(
      "privateAddress", .scalar(.address), .optional(nil),
      "The address on the provider's private network; several control nodes need one each."),
    SchemaKey(
      "meshAddress", .scalar(.address), .optional(nil),
      "The address in the mesh; mesh zerotier needs one each, and mesh wireguard takes one out of 10.98.0.0/16 by the name "
        + "of the node if there is none."),
    SchemaKey("provider", .scalar(.name), .required, "Whose server it is; any word, the same for the same provider."),
    SchemaKey("region", .scalar(.name), .required, "Where it is; any word, the same for the same place."),
    SchemaKey("memory", .scalar(.size((256 << 20)...(1 << 40))), .optional("2GiB"), "Its memory."),
    SchemaKey("cpus", .scalar(.integer(1...256)), .optional("2"), "Its processors."),
    SchemaKey("disk", .scalar(.size((1 << 30)...(1 << 50))), .optional(nil), "Its disk."),
    SchemaKey(
      "ssh", .section(ssh + [jumpHost]), .optional(nil), "How ssh logs in here, where it differs from access.ssh."),
    SchemaKey("labels", .map(keys: .label, values: .labelValue), .optional(nil), "More labels of the Kubernetes node."),
    SchemaKey("taints", .list(.scalar(.taint)), .optional(nil), "More taints of the Kubernetes node."),
    SchemaKey("spot", .scalar(.flag), .optional("false"), "true: the provider may take it away at short notice."),
    SchemaKey(
      "traffic",
      .section([
        SchemaKey("allowance", .scalar(.size(1...(1 << 60))), .required, "What the plan includes per month."),
        SchemaKey(
          "count", .scalar(.word("in", "out", "both", "max")), .optional("both"),
          "What the provider counts: in, out, both together, or the larger of the two."),
        SchemaKey(
          "resetDay", .scalar(.integer(1...31)), .optional("1"),
          "The day on which counting begins again; a day that a month lacks is its last."),
      ]), .optional(nil), "The traffic that the plan includes."),
  ]
}
