import UploadCore

/// How the cluster is, for one table.
package struct ClusterStatus: Sendable {
  /// A node and the pod on it.
  package struct Row: Sendable {
    var node: String
    var role: String
    var isReady: Bool
    var version: String
    var pod: String
    var restarts: Int
    var age: String
    /// When the first of its k3s certificates ends, in seconds since 1970; `nil`: not known.
    var certificateEnd: Int?
    var needsReboot = false
  }

  package var rows: [Row]
  package var image: String
  package var rollout: String
  package var certificate: String
  package var cleanup: String
  /// What is to be done on nodes, and who was not to be asked.
  package var notes: [String] = []
  private let now: Int

  /// - Parameters:
  ///   - survey: what the servers themselves have told; empty: they were not asked.
  ///   - now: seconds since 1970.
  init(
    file: ClusterFile, nodes: [KubernetesObject], pods: [KubernetesObject], daemonSet: KubernetesObject?,
    certificate: KubernetesObject?, cleanup: KubernetesObject?, survey: NodeSurvey = NodeSurvey(), now: Int
  ) {
    self.now = now
    let states = Dictionary(pods.map { ($0.value.at("spec", "nodeName")?.string ?? "", $0) }) { $1 }
    rows = nodes.map { Self.row($0, pod: states[$0.name], now: now) }.sorted { $0.node < $1.node }
    for spec in file.nodes where !nodes.contains(where: { $0.name == spec.name }) {
      rows.append(
        Row(
          node: spec.name, role: spec.role.rawValue, isReady: false, version: "-", pod: "not in the cluster",
          restarts: 0, age: "-"))
    }
    let containers = daemonSet?.value.at("spec", "template", "spec", "containers")?.array ?? []
    image = containers.first { $0["name"]?.string == "bashupload" }?["image"]?.string ?? "not there"
    let labelled = nodes.count { $0.value.at("metadata", "labels", "bashupload.app/role")?.string == "edge" }
    rollout =
      daemonSet.map { Rollout.isComplete($0) ? "complete" : Rollout.progress($0, labelled: labelled) } ?? "not there"
    self.certificate = Self.expiry(certificate, file: file, now: now)
    let last = cleanup?.value.at("status", "lastSuccessfulTime")?.string
    self.cleanup =
      cleanup == nil ? "not there" : last.map { "\(KubernetesTime.age($0, now: now)) ago" } ?? "has not run yet"
    add(survey)
  }

  private mutating func add(_ survey: NodeSurvey) {
    for index in rows.indices {
      let name = rows[index].node
      guard let facts = survey.facts[name] else { continue }
      rows[index].certificateEnd = facts.certificateEnd
      rows[index].needsReboot = facts.needsReboot
      if facts.needsRenewal(now), let days = facts.certificateDays(now) {
        notes.append(
          "\(name): its k3s certificates \(days < 0 ? "have ended" : "end in \(days) days"), and k3s renews them only when it "
            + "starts: bashupload deploy apply restarts it")
      }
      if facts.needsReboot { notes.append("\(name): updates want a reboot: bashupload deploy reboot") }
    }
    notes += survey.failures.map { "\($0.node): certificates and reboots are not known: \($0.reason)" }
  }

  private static func row(_ node: KubernetesObject, pod: KubernetesObject?, now: Int) -> Row {
    let ready = node.value.at("status", "conditions")?.array.first { $0["type"]?.string == "Ready" }
    let state = pod.map(PodState.init)
    return Row(
      node: node.name, role: node.value.at("metadata", "labels", "bashupload.app/role")?.string ?? "-",
      isReady: ready?["status"]?.string == "True",
      version: node.value.at("status", "nodeInfo", "kubeletVersion")?.string ?? "-",
      pod: state.map { $0.isReady ? "ready" : $0.trouble?.reason ?? "not ready" } ?? "-",
      restarts: state?.restarts ?? 0,
      age: KubernetesTime.age(pod?.value.at("status", "startTime")?.string, now: now))
  }

  private static func expiry(_ certificate: KubernetesObject?, file: ClusterFile, now: Int) -> String {
    if case .secret(let name) = file.certificates.issuer { return "your own, Secret \(name)" }
    guard let text = certificate?.value.at("status", "notAfter")?.string, let end = KubernetesTime.seconds(text) else {
      return "not issued"
    }
    return end <= now ? "EXPIRED at \(text)" : "until \(text) (\((end - now) / 86_400) days)"
  }

  /// Columns as wide as their widest word.
  package var lines: [String] {
    let cells =
      [["NODE", "ROLE", "STATE", "VERSION", "POD", "RESTARTS", "AGE", "K3S CERTS", "REBOOT"]]
      + rows.map {
        [
          $0.node, $0.role, $0.isReady ? "ready" : "NOT READY", $0.version, $0.pod, "\($0.restarts)", $0.age,
          $0.certificateEnd.map { "\(($0 - now) / 86_400) days" } ?? "-", $0.needsReboot ? "due" : "-",
        ]
      }
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let table = cells.map { row in
      let padded = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    return table + [
      "", "image        \(image)", "rollout      \(rollout)", "certificate  \(certificate)", "cleanup      \(cleanup)",
      "dns, traffic not managed yet",
    ] + notes.map { "note: \($0)" }
  }

  package var json: JSONValue {
    .object([
      "nodes": .array(
        rows.map {
          [
            "name": .string($0.node), "role": .string($0.role), "ready": .bool($0.isReady),
            "version": .string($0.version), "pod": .string($0.pod), "restarts": .integer(Int64($0.restarts)),
            "k3sCertificateEnd": $0.certificateEnd.map { .string(Timestamp(seconds: Int64($0)).rfc3339) } ?? .null,
            "needsReboot": .bool($0.needsReboot),
          ]
        }),
      "image": .string(image), "rollout": .string(rollout), "certificate": .string(certificate),
      "cleanup": .string(cleanup), "notes": .array(notes.map { .string($0) }),
    ])
  }
}
