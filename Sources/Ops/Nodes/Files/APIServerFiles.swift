/// What the API server reads beside its arguments: Pod Security for every namespace, and the audit policy.
struct APIServerFiles {
  static let admission = "/etc/rancher/k3s/admission.yaml"
  static let audit = "/etc/rancher/k3s/audit.yaml"

  let file: ClusterFile

  init(_ file: ClusterFile) {
    self.file = file
  }

  var files: [NodeFile] {
    var files = [admissionFile]
    if file.features.enabled.contains(.audit) { files.append(auditFile) }
    return files
  }

  /// Namespaces of features that need rights which `restricted` refuses and that no manifest of ours labels.
  private var exempt: [String] {
    var namespaces = ["kube-system"]
    for (feature, namespace) in [
      (Feature.upgradeController, "system-upgrade"), (.falco, "falco"), (.longhorn, "longhorn-system"),
    ] where file.features.enabled.contains(feature) {
      namespaces.append(namespace)
    }
    return namespaces
  }

  private var admissionFile: NodeFile {
    NodeFile(
      Self.admission, mode: 0o600,
      lines: [
        NodeFile.header("Pod Security: restricted unless a namespace says otherwise by its label"),
        "apiVersion: apiserver.config.k8s.io/v1",
        "kind: AdmissionConfiguration",
        "plugins:",
        "  - name: PodSecurity",
        "    configuration:",
        "      apiVersion: pod-security.admission.config.k8s.io/v1",
        "      kind: PodSecurityConfiguration",
        "      defaults:",
        "        enforce: restricted",
        "        enforce-version: latest",
        "        audit: restricted",
        "        audit-version: latest",
        "        warn: restricted",
        "        warn-version: latest",
        "      exemptions:",
        "        usernames: []",
        "        runtimeClasses: []",
        "        namespaces: [\(exempt.joined(separator: ", "))]",
      ])
  }

  private var auditFile: NodeFile {
    NodeFile(
      Self.audit, mode: 0o600,
      lines: [
        NodeFile.header("The audit policy: who did what; never the content of Secrets; not what repeats by itself"),
        "apiVersion: audit.k8s.io/v1",
        "kind: Policy",
        "omitStages: [RequestReceived]",
        "rules:",
        "  - level: None",
        "    resources:",
        "      - {group: coordination.k8s.io, resources: [leases]}",
        "      - {group: \"\", resources: [events]}",
        "      - {group: events.k8s.io, resources: [events]}",
        "  - level: None",
        "    nonResourceURLs: [\"/healthz*\", \"/livez*\", \"/readyz*\", \"/version\", \"/metrics\", \"/openapi*\"]",
        "  - level: None",
        "    users: [\"system:kube-proxy\", \"system:apiserver\"]",
        "    verbs: [get, list, watch]",
        "  - level: None",
        "    userGroups: [\"system:nodes\"]",
        "    verbs: [get, list, watch]",
        "  - level: Metadata",
        "    resources:",
        "      - {group: \"\", resources: [secrets, configmaps, serviceaccounts/token]}",
        "      - {group: authentication.k8s.io, resources: [tokenreviews]}",
        "  - level: \(file.features.auditLevel)",
      ])
  }
}
