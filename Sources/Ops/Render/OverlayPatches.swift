/// The patches of an overlay: what differs between installations in objects that have no generator.
struct OverlayPatches {
  /// A file below `patches`.
  struct Patch {
    var name: String
    var text: String
  }

  private let file: ClusterFile
  private let components: [String]

  init(_ file: ClusterFile, components: [String]) {
    self.file = file
    self.components = components
  }

  var all: [Patch] {
    var patches: [Patch] = []
    if case .secret(let name) = file.certificates.issuer {
      patches.append(ownCertificate(name))
    } else {
      patches += issuers + [certificate]
    }
    if let pods { patches.append(pods) }
    return patches + [cleanup] + FeaturePatches(file, components: components).all
  }

  private var issuerName: String {
    file.certificates.issuer == .letsEncryptStaging ? "bashupload-letsencrypt-staging" : "bashupload-letsencrypt"
  }

  /// A merge patch replaces lists as a whole, so the solver is written out.
  private var issuers: [Patch] {
    ["bashupload-letsencrypt", "bashupload-letsencrypt-staging"].map { name in
      var acme = ["    email: \(YAMLScalar.written(file.certificates.email ?? ""))"]
      if case .server(let server) = file.certificates.issuer, name == issuerName {
        // Profiles are Let's Encrypt's.
        acme += ["    server: \(YAMLScalar.written(server))", "    profile: null"]
      } else {
        acme.append("    profile: \(YAMLScalar.written(file.certificates.profile))")
      }
      return Patch(
        name: "cluster-issuer-\(name)",
        text: """
          apiVersion: cert-manager.io/v1
          kind: ClusterIssuer
          metadata:
            name: \(name)
          spec:
            acme:
          \(acme.joined(separator: "\n"))
              solvers:
                - selector:
                    dnsZones: [\(YAMLScalar.written(file.domain))]
                  dns01:
                    cloudflare:
                      apiTokenSecretRef:
                        name: bashupload-cloudflare
                        key: api-token

          """)
    }
  }

  private var certificate: Patch {
    Patch(
      name: "certificate",
      text: """
        apiVersion: cert-manager.io/v1
        kind: Certificate
        metadata:
          name: bashupload-wildcard
          namespace: bashupload
        spec:
          issuerRef:
            name: \(issuerName)
          dnsNames: [\(YAMLScalar.written(file.domain)), "*.\(file.domain)"]

        """)
  }

  private func ownCertificate(_ name: String) -> Patch {
    Patch(
      name: "own-certificate",
      text: """
        apiVersion: apps/v1
        kind: DaemonSet
        metadata:
          name: bashupload
          namespace: bashupload
        spec:
          template:
            spec:
              volumes:
                - name: certificate
                  secret:
                    secretName: \(YAMLScalar.written(name))

        """)
  }

  /// What of the pods follows from the nodes: the taints that they have to stand, and how long they may end.
  private var pods: Patch? {
    var lines =
      file.shutdownGrace == PodGrace.standard
      ? [] : ["      terminationGracePeriodSeconds: \(PodGrace.seconds(file.shutdownGrace))"]
    let taints = NodeTaints.tolerated(file)
    if !taints.isEmpty {
      // A patch replaces the whole list.
      var all = ["node-role.kubernetes.io/control-plane:NoSchedule"]
      if components.contains("spot") { all.append("bashupload.app/spot:NoSchedule") }
      lines.append("      tolerations:")
      for taint in all.map({ NodeTaints.Taint($0) }) + taints {
        lines.append("        - key: \(YAMLScalar.written(taint.key))")
        if let value = taint.value {
          lines += ["          operator: Equal", "          value: \(YAMLScalar.written(value))"]
        } else {
          lines.append("          operator: Exists")
        }
        lines.append("          effect: \(taint.effect)")
      }
    }
    if lines.isEmpty { return nil }
    return Patch(
      name: "pods",
      text: """
        apiVersion: apps/v1
        kind: DaemonSet
        metadata:
          name: bashupload
          namespace: bashupload
        spec:
          template:
            spec:
        \(lines.joined(separator: "\n"))

        """)
  }

  private var cleanup: Patch {
    Patch(
      name: "cleanup",
      text: """
        apiVersion: batch/v1
        kind: CronJob
        metadata:
          name: bashupload-cleanup
          namespace: bashupload
        spec:
          schedule: "\(file.cleanupSchedule)"

        """)
  }
}
