/// Looks for what usually goes wrong. Pure: facts in, findings out.
package struct Doctor: Sendable {
  /// What was found in the cluster.
  package struct Facts: Sendable {
    package var server: ServerVersion?
    package var nodes: [KubernetesObject] = []
    package var pods: [KubernetesObject] = []
    package var daemonSets: [KubernetesObject] = []
    package var namespaces: [KubernetesObject] = []
    package var leases: [KubernetesObject] = []
    package var certificate: KubernetesObject?
    package var events: [KubernetesObject] = []
    /// Names of the keys of our Secrets, never values.
    package var secrets: [String: Set<String>] = [:]
    package var snapshots: [BucketSnapshot] = []
    /// What we have applied, with the owners of its fields.
    package var owned: [KubernetesObject] = []

    package init(
      server: ServerVersion? = nil, nodes: [KubernetesObject] = [], pods: [KubernetesObject] = [],
      daemonSets: [KubernetesObject] = [],
      namespaces: [KubernetesObject] = [], leases: [KubernetesObject] = [], certificate: KubernetesObject? = nil,
      events: [KubernetesObject] = [], secrets: [String: Set<String>] = [:], snapshots: [BucketSnapshot] = [],
      owned: [KubernetesObject] = []
    ) {
      self.server = server
      self.nodes = nodes
      self.pods = pods
      self.daemonSets = daemonSets
      self.namespaces = namespaces
      self.leases = leases
      self.certificate = certificate
      self.events = events
      self.secrets = secrets
      self.snapshots = snapshots
      self.owned = owned
    }
  }

  /// Something that is wrong, and what to do.
  package struct Finding: Hashable, Sendable {
    package var check: String
    package var text: String
  }

  private let file: ClusterFile
  private let facts: Facts
  private let now: Int

  package init(file: ClusterFile, facts: Facts, now: Int) {
    self.file = file
    self.facts = facts
    self.now = now
  }

  package var findings: [Finding] {
    traefik + foreignPorts + podSecurity + nodes + clocks + versions + certificate + clusterCertificates + secrets
      + snapshots + addedFields
  }

  /// What others have written into our objects, beside what is ours: it can open what a policy closes.
  private var addedFields: [Finding] {
    facts.owned.flatMap { object in
      ForeignFields(object).fields.map { field in
        Finding(
          check: "added field",
          text: "\(object.identity): \(field.change.path) is not ours (\(field.change.before ?? "")): apply removes it")
      }
    }
  }

  /// Nobody looks at them until they are needed.
  private var snapshots: [Finding] {
    guard file.kubernetes.savesToBucket else { return [] }
    // Of a cluster whose nodes are somebody else's, so are the snapshots.
    let own = facts.nodes.filter {
      $0.value.at("metadata", "annotations", NodeRegistration.annotation) != nil
    }
    guard !own.isEmpty else { return [] }
    let began = own.compactMap { $0.value.at("metadata", "creationTimestamp")?.string }.compactMap {
      KubernetesTime.seconds($0)
    }.min()
    let newest = facts.snapshots.filter(\.isReady).compactMap(\.time).max()
    // One may fail, and cron's rhythm is not ours.
    let patience = 2 * Int(file.kubernetes.snapshotEvery) + 3_600
    guard let last = newest ?? began, now - last > patience else { return [] }
    let age = (now - last) / 3_600
    let error = facts.snapshots.compactMap(\.error).last.map { ": \($0)" } ?? ""
    let text =
      newest == nil ? "none of etcd is in the bucket" : "the newest one of etcd in the bucket is \(age) hours old"
    return [
      Finding(
        check: "snapshots",
        text: text + error + "; on a control node, journalctl --unit=k3s | grep -i snapshot says more, and "
          + "bashupload deploy rotate r2 tries the keys")
    ]
  }

  /// k3s says so by an event, from 120 days before on.
  private var clusterCertificates: [Finding] {
    let nodes = facts.events.filter { $0.value["reason"]?.string == "CertificateExpirationWarning" }.compactMap {
      $0.value.at("involvedObject", "name")?.string
    }
    return Set(nodes).sorted().map { node in
      Finding(
        check: "certificates of k3s",
        text:
          "those of \(node) end soon and are renewed only when k3s starts: bashupload deploy apply --only node/\(node) does "
          + "it within 90 days of their end")
    }
  }

  private var traefik: [Finding] {
    let cure = "disable: [traefik, servicelb] in the server's config.yaml"
    var findings = facts.daemonSets.filter { $0.name.hasPrefix("svclb-") }.map { daemonSet in
      Finding(check: "servicelb", text: "\(daemonSet.namespace)/\(daemonSet.name) takes ports on every node: \(cure)")
    }
    if let pod = facts.pods.first(where: { $0.name.hasPrefix("traefik-") && $0.namespace == "kube-system" }) {
      findings.append(
        Finding(check: "traefik", text: "\(pod.namespace)/\(pod.name) runs, and deleting it does not last: \(cure)"))
    }
    return findings
  }

  private var foreignPorts: [Finding] {
    var findings: [Finding] = []
    for pod in facts.pods where pod.namespace != Kubectl.namespace && !pod.name.hasPrefix("svclb-") {
      let node = pod.value.at("spec", "nodeName")?.string ?? "-"
      for container in pod.value.at("spec", "containers")?.array ?? [] {
        let ports = (container["ports"]?.array ?? []).compactMap { $0["hostPort"]?.integer }
        for port in ports where port == 80 || port == 443 {
          findings.append(
            Finding(
              check: "hostPort",
              text: "\(pod.namespace)/\(pod.name) on \(node) takes port \(port), and the last one to start wins"))
        }
      }
    }
    return findings
  }

  private var podSecurity: [Finding] {
    let namespace = facts.namespaces.first { $0.name == Kubectl.namespace }
    let level = namespace?.value.at("metadata", "labels", "pod-security.kubernetes.io/enforce")?.string
    guard namespace != nil, let level, level != "privileged" else { return [] }
    return [
      Finding(
        check: "pod security",
        text:
          "the namespace enforces \(level), which refuses hostPort: the DaemonSet is accepted and gets no pods; apply sets it back"
      )
    ]
  }

  private var nodes: [Finding] {
    var findings: [Finding] = []
    for spec in file.nodes {
      if let node = facts.nodes.first(where: { $0.name == spec.name }) {
        findings += about(node, spec)
      } else {
        findings.append(Finding(check: "node", text: "\(spec.name) is not in the cluster"))
      }
    }
    let known = Set(file.nodes.map(\.name))
    for node in facts.nodes where !known.contains(node.name) {
      findings.append(
        Finding(
          check: "node",
          text:
            "\(node.name) is in the cluster and not in the cluster file: bashupload deploy remove \(node.name) takes it out"
        ))
    }
    return findings
  }

  /// Those of Kubernetes itself. Others have conditions of their own (k3s: EtcdIsVoter), each with its own good value.
  private static let goodConditions = [
    "Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False",
    "NetworkUnavailable": "False",
  ]

  private func about(_ node: KubernetesObject, _ spec: NodeSpec) -> [Finding] {
    var findings: [Finding] = []
    for condition in node.value.at("status", "conditions")?.array ?? [] {
      let type = condition["type"]?.string ?? ""
      let status = condition["status"]?.string ?? ""
      if let good = Self.goodConditions[type], status != good {
        let message = condition["message"]?.string ?? ""
        findings.append(Finding(check: "node", text: "\(spec.name): \(type) is \(status), \(message)"))
      }
    }
    let label = node.value.at("metadata", "labels", "bashupload.app/role")?.string
    if spec.role != .control, label != "edge" {
      let cure = "kubectl label node \(spec.name) bashupload.app/role=edge"
      findings.append(Finding(check: "node", text: "\(spec.name) is an edge without the label: \(cure)"))
    }
    if node.value.at("spec", "unschedulable")?.bool == true {
      findings.append(Finding(check: "node", text: "\(spec.name) is cordoned: kubectl uncordon \(spec.name)"))
    }
    return findings
  }

  /// A node renews its Lease every 10 seconds with its own clock.
  private var clocks: [Finding] {
    facts.leases.compactMap { lease in
      guard let text = lease.value.at("spec", "renewTime")?.string, let time = KubernetesTime.seconds(text) else {
        return nil
      }
      if time > now + 30 {
        return Finding(
          check: "clock", text: "\(lease.name) is \(time - now) s ahead of this machine: timedatectl on both")
      }
      let isReady = facts.nodes.first { $0.name == lease.name }?.value.at("status", "conditions")?.array.contains {
        $0["type"]?.string == "Ready" && $0["status"]?.string == "True"
      }
      guard time < now - 90, isReady == true else { return nil }
      return Finding(
        check: "clock", text: "\(lease.name) is ready, and its clock is \(now - time) s behind: timedatectl on both")
    }
  }

  private var versions: [Finding] {
    if let shortfall = facts.server?.shortfall { return [Finding(check: "version", text: shortfall)] }
    let versions = Set(facts.nodes.compactMap { $0.value.at("status", "nodeInfo", "kubeletVersion")?.string }).sorted()
    return versions.count > 1
      ? [Finding(check: "version", text: "the nodes run different versions: \(versions.joined(separator: ", "))")] : []
  }

  private var certificate: [Finding] {
    if case .secret = file.certificates.issuer { return [] }
    let ready = facts.certificate?.value.at("status", "conditions")?.array.first { $0["type"]?.string == "Ready" }
    guard let ready else { return [Finding(check: "certificate", text: "is not there: apply makes it")] }
    if ready["status"]?.string != "True" {
      return [Finding(check: "certificate", text: "is not ready: \(ready["message"]?.string ?? "")")]
    }
    let renewal = facts.certificate?.value.at("status", "renewalTime")?.string.flatMap { KubernetesTime.seconds($0) }
    if let renewal, renewal < now - 86_400 {
      return [Finding(check: "certificate", text: "should have been renewed \((now - renewal) / 86_400) days ago")]
    }
    return []
  }

  private var secrets: [Finding] {
    SecretReader.needs(file).compactMap { need in
      facts.secrets["\(need.namespace)/\(need.name)"]?.contains(need.key) == true
        ? nil : Finding(check: "secret", text: "\(need.namespace)/\(need.name) has no \(need.key): apply sets it")
    }
  }
}
