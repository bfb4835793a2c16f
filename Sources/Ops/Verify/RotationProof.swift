/// The proof that cert-manager can write into the zone: a certificate for a name that nobody has asked for before, because
/// an authorization that is known is used again for weeks.
struct RotationProof: Sendable {
  private static let object = "bashupload-rotation"
  /// Looks in a row at the same refusal before waiting is given up: half a minute.
  private static let patience = 6

  let name: String
  let isStaging: Bool
  private let cluster: String

  /// - Parameter id: makes the name another one each time.
  ///
  /// `nil`: no certificate is asked for, its Secret comes from elsewhere.
  init?(_ file: ClusterFile, id: Int) {
    if case .secret = file.certificates.issuer { return nil }
    if case .server = file.certificates.issuer { isStaging = false } else { isStaging = true }
    name = "rotation-\(id).\(file.domain)"
    cluster = file.cluster
  }

  private var certificate: KubernetesObject {
    KubernetesObject([
      "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
      "metadata": [
        "name": .string(Self.object), "namespace": .string(Kubectl.namespace),
        "labels": ["bashupload.app/cluster": .string(cluster)],
      ],
      "spec": [
        "secretName": .string(Self.object), "dnsNames": [.string(name)],
        "issuerRef": [
          "group": "cert-manager.io", "kind": "ClusterIssuer",
          "name": .string(isStaging ? "bashupload-letsencrypt-staging" : "bashupload-letsencrypt"),
        ],
        "privateKey": ["algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"],
      ],
    ])
  }

  private var secret: KubernetesObject {
    KubernetesObject([
      "apiVersion": "v1", "kind": "Secret",
      "metadata": ["name": .string(Self.object), "namespace": .string(Kubectl.namespace)],
    ])
  }

  /// - Throws: `Wait.Failure` when there is no certificate in time.
  func run(_ kubectl: Kubectl, _ context: DeployContext, deadline: Int) async throws {
    // What an earlier run has left would be an answer to its question.
    try await kubectl.delete([certificate, secret])
    do {
      try await kubectl.apply([certificate])
      try await wait(kubectl, context, deadline)
    } catch {
      // In a task of its own: also when this one has been interrupted.
      try? await Task { try await kubectl.delete([certificate, secret]) }.value
      throw error
    }
    try await kubectl.delete([certificate, secret])
  }

  private func wait(_ kubectl: Kubectl, _ context: DeployContext, _ deadline: Int) async throws {
    var looks = 0
    try await Wait(context: context, name: "certificate for \(name)", deadline: deadline).until {
      let certificate = try await kubectl.object("certificates.cert-manager.io", Self.object)
      let conditions = certificate?.value.at("status", "conditions")?.array ?? []
      if conditions.contains(where: { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }) {
        return .done
      }
      let challenges = try await kubectl.get("challenges.acme.cert-manager.io")
      let reason = challenges.filter { $0.value.at("spec", "dnsName")?.string == name }.compactMap {
        $0.value.at("status", "reason")?.string
      }.first { !$0.isEmpty }
      // Waiting for the record to be seen is normal; a refusal of Cloudflare stays one.
      looks = reason?.contains("Cloudflare API") == true ? looks + 1 : 0
      let text = reason?.split(separator: "\n").joined(separator: " ")
      if let text, looks >= Self.patience { return .failed(text) }
      return .pending(text ?? "cert-manager has not begun yet")
    }
  }
}
