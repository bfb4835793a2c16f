import FoundationEssentials

/// Follows the references of the cluster file.
struct SecretReader: Sendable {
  /// A key of a Secret, and where its value is.
  struct Need: Sendable {
    var namespace: String
    var name: String
    var key: String
    var path: String
    /// `nil`: `literal` stands in the cluster file itself.
    var reference: SecretReference?
    var literal = ""
  }

  let kubectl: Kubectl
  let variables: [String: String]

  /// What the service needs of the file.
  static func needs(_ file: ClusterFile) -> [Need] {
    let own = Kubectl.namespace
    var needs = [
      Need(
        namespace: own, name: "bashupload-r2", key: "R2_ACCESS_KEY_ID", path: "storage.r2.accessKeyID",
        reference: file.storage.accessKeyID),
      Need(
        namespace: own, name: "bashupload-r2", key: "R2_SECRET_ACCESS_KEY", path: "storage.r2.secretAccessKey",
        reference: file.storage.secretAccessKey),
    ]
    if let password = file.password {
      needs.append(
        Need(namespace: own, name: "bashupload-r2", key: "PASSWORD", path: "policy.password", reference: password))
    }
    if let token = file.certificates.cloudflareToken {
      needs.append(
        Need(
          namespace: "cert-manager", name: "bashupload-cloudflare", key: "api-token",
          path: "certificates.dns01.cloudflare.apiToken", reference: token))
    }
    return needs + featureNeeds(file)
  }

  private static func featureNeeds(_ file: ClusterFile) -> [Need] {
    var needs: [Need] = []
    if file.features.enabled.contains(.tunnel), let token = file.features.tunnelToken {
      needs.append(
        Need(
          namespace: "bashupload-tunnel", name: "bashupload-tunnel", key: "token", path: "features.tunnel.token",
          reference: token))
    }
    if file.features.enabled.contains(.logs), let loki = file.features.loki {
      func need(_ key: String, _ reference: SecretReference?, _ literal: String) -> Need {
        Need(
          namespace: "bashupload-logs", name: "bashupload-loki", key: key, path: "features.logs.loki.\(key)",
          reference: reference, literal: literal)
      }
      // The agent wants all three keys; without a login two of them are empty.
      needs += [
        need("url", nil, loki.url), need("username", nil, loki.username ?? ""), need("password", loki.password, ""),
      ]
    }
    return needs
  }

  /// Reads all of them; what cannot be read is a note of the plan, and stops apply.
  func plan(_ file: ClusterFile) async throws -> SecretPlan {
    var wanted: [SecretPlan.Wanted] = []
    var notes: [String] = []
    for need in Self.needs(file) {
      if !wanted.contains(where: { $0.name == need.name && $0.namespace == need.namespace }) {
        wanted.append(.init(namespace: need.namespace, name: need.name, data: [:]))
      }
      guard let index = wanted.firstIndex(where: { $0.name == need.name && $0.namespace == need.namespace }) else {
        continue
      }
      guard let reference = need.reference else {
        wanted[index].data[need.key] = .some(Data(need.literal.utf8).base64EncodedString())
        continue
      }
      let value = try await value(reference)
      wanted[index].data[need.key] = .some(value)
      if value == nil { notes.append("\(need.path): \(reference) is not there or empty") }
    }
    // Pods would wait for it until the rollout is given up.
    if case .secret(let name) = file.certificates.issuer, try await kubectl.object("secrets", name) == nil {
      let own = Kubectl.namespace
      notes.append(
        "certificates.issuer.secret: Secret \(own)/\(name) is not there: kubectl create namespace \(own), then "
          + "kubectl --namespace \(own) create secret tls \(name) --cert=FILE --key=FILE")
    }
    return SecretPlan(cluster: file.cluster, wanted: wanted, notes: notes)
  }

  /// In Base64; `nil` when there is nothing.
  func value(_ reference: SecretReference) async throws -> String? {
    switch reference {
    case .environment(let name):
      return variables[name].flatMap(Self.encoded)
    case .file(let path):
      let home = variables["HOME"] ?? ""
      let full = path.hasPrefix("~/") ? home + path.dropFirst() : path
      guard let data = FileManager.default.contents(atPath: full) else { return nil }
      var text = String(decoding: data, as: UTF8.self)
      if text.hasSuffix("\n") { text.removeLast() }
      return Self.encoded(text)
    case .kubernetes(let name, let key):
      return try await kubectl.object("secrets", name)?.value.at("data", key)?.string
    }
  }

  private static func encoded(_ text: String) -> String? {
    text.isEmpty ? nil : Data(text.utf8).base64EncodedString()
  }
}
