/// `/etc/rancher/k3s/config.yaml`: a file and not arguments of a unit, so that a second run of anything loses nothing.
struct K3sConfiguration {
  static let path = "/etc/rancher/k3s/config.yaml"
  /// The token by which a node joins: of the servers on a control node, of the agents on an edge.
  static let tokenPath = "/etc/rancher/k3s/token"
  /// The agents' token on a control node: an edge that is taken over is no way to the cluster's administrator.
  static let agentTokenPath = "/etc/rancher/k3s/agent-token"
  /// Credentials for snapshots; brought by apply, never rendered.
  static let snapshotCredentialsPath = "/etc/rancher/k3s/config.yaml.d/50-snapshots.yaml"

  let node: NodeSpec
  let network: NodeNetwork

  init(_ node: NodeSpec, _ network: NodeNetwork) {
    self.node = node
    self.network = network
  }

  private var file: ClusterFile { network.file }

  func file(_ facts: KnownFacts) throws(MissingFact) -> NodeFile {
    var writer = YAMLLines([NodeFile.header("k3s on \(node.name)")])
    writer.add("node-name", node.name)
    if let server = facts.nodes[node.name]?.server ?? network.server(for: node) {
      writer.add("server", "https://\(server.inURL):6443")
    }
    writer.add("token-file", Self.tokenPath)
    let addresses = network.nodeAddresses(node)
    if !addresses.isEmpty { writer.add("node-ip", addresses.map(\.description).joined(separator: ",")) }
    writer.add("node-external-ip", network.externalAddresses(node).map(\.description).joined(separator: ","))
    if let interface = try interface(facts) { writer.add("flannel-iface", interface) }
    writer.add("node-label", labels)
    writer.add("node-taint", NodeTaints(node, of: file).all)
    writer.add("protect-kernel-defaults", true)
    if node.role != .edge { server(&writer, facts.nodes[node.name] ?? KnownFacts.Node()) }
    writer.add("kube-proxy-arg", KernelSettings.kubeProxyArguments)
    writer.add("kubelet-arg", file.kubernetes.arguments.kubelet)
    return NodeFile(Self.path, mode: 0o600, lines: writer.lines)
  }

  /// Over which interface flannel sends, where its own choice (the default route's) would be wrong.
  private func interface(_ facts: KnownFacts) throws(MissingFact) -> String? {
    switch file.mesh.type {
    case .wireguardNative: return nil
    case .wireguard: return NodeNetwork.wireguardInterface
    case .zerotier: return NodeNetwork.zeroTierInterface
    case .none:
      if file.nodes.count == 1 { return nil }
      guard let interface = facts.nodes[node.name]?.interface else {
        throw MissingFact(path: Self.path, what: "interface of \(node.name)")
      }
      return interface
    }
  }

  /// k3s sets them when the node registers; apply keeps them right afterwards.
  var labels: [String] { NodeLabels(node).atJoin.map { "\($0.key)=\($0.value)" } }

  private func server(_ writer: inout YAMLLines, _ known: KnownFacts.Node) {
    let isFirst = network.first?.name == node.name && known.server == nil
    if file.kubernetes.datastore == .etcd, isFirst { writer.add("cluster-init", true) }
    writer.add("agent-token-file", Self.agentTokenPath)
    let names = [
      node.address, node.listedAddress, node.address6, node.privateAddress, network.meshAddress(node),
      network.virtualAddress,
    ]
    writer.add("tls-san", names.compactMap { $0?.description })
    writer.add("disable", ["traefik", "servicelb"])
    switch file.mesh.type {
    case .wireguardNative:
      writer.add("flannel-backend", "wireguard-native")
      writer.add("flannel-external-ip", true)
    case .wireguard, .zerotier, .none:
      writer.add("flannel-backend", "vxlan")
    }
    let (pods, services) = (file.kubernetes.podNetwork, file.kubernetes.serviceNetwork)
    if network.isDualStack {
      writer.add("cluster-cidr", "\(pods),\(NodeNetwork.podNetwork6)")
      writer.add("service-cidr", "\(services),\(NodeNetwork.serviceNetwork6)")
      writer.add("flannel-ipv6-masq", true)
    } else {
      // k3s' own are not written: a cluster that began without these lines goes on without them.
      if pods != NodeNetwork.standardPodNetwork { writer.add("cluster-cidr", pods.description) }
      if services != NodeNetwork.standardServiceNetwork { writer.add("service-cidr", services.description) }
    }
    writer.add("secrets-encryption", true)
    apiServer(&writer)
    if file.kubernetes.datastore == .etcd { snapshots(&writer, known) }
    writer.add("etcd-arg", file.kubernetes.arguments.etcd)
  }

  private func apiServer(_ writer: inout YAMLLines) {
    var arguments = ["admission-control-config-file=\(APIServerFiles.admission)"]
    if file.features.enabled.contains(.audit) {
      arguments += [
        "audit-policy-file=\(APIServerFiles.audit)", "audit-log-path=/var/lib/rancher/k3s/server/logs/audit.log",
        "audit-log-maxage=30", "audit-log-maxbackup=3", "audit-log-maxsize=50",
      ]
    }
    writer.add("kube-apiserver-arg", arguments + file.kubernetes.arguments.apiserver)
  }

  private func snapshots(_ writer: inout YAMLLines, _ known: KnownFacts.Node) {
    writer.add("etcd-snapshot-schedule-cron", SnapshotSchedule.cron(every: file.kubernetes.snapshotEvery))
    writer.add("etcd-snapshot-retention", file.kubernetes.snapshotKeep)
    guard file.kubernetes.snapshotTo == .r2 else { return }
    let place = SnapshotBucket(file)
    writer.add("etcd-s3", true)
    writer.add("etcd-s3-endpoint", place.host)
    if place.isInsecure { writer.add("etcd-s3-insecure", true) }
    writer.add("etcd-s3-region", "auto")
    writer.add("etcd-s3-bucket", place.bucket)
    writer.add("etcd-s3-folder", place.folder)
    let version = known.k3s ?? file.kubernetes.version.flatMap { K3sVersion($0) }
    if version?.hasSnapshotRetentionOfBuckets == true {
      writer.add("etcd-s3-retention", file.kubernetes.snapshotKeep)
    }
  }
}
