import FoundationEssentials
import UploadCore

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
      do {
        let value = try await value(reference, of: need.path)
        wanted[index].data[need.key] = .some(value)
        if value == nil { notes.append("\(need.path): \(reference) is not there or empty") }
      } catch let error as Unusable {
        wanted[index].data[need.key] = .some(nil)
        notes.append(error.description)
      }
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

  /// There is something, and it cannot be what is meant. The text itself is never repeated.
  struct Unusable: Error, CustomStringConvertible {
    var description: String

    init(_ path: String, _ reference: SecretReference, _ problem: String) {
      description = "\(path): \(reference) \(problem)"
    }
  }

  /// In Base64, freed of what editors and shells add; `nil` when there is nothing.
  ///
  /// - Parameter path: the key of the cluster file, for messages.
  func value(_ reference: SecretReference, of path: String) async throws -> String? {
    guard let bytes = try await bytes(reference) else { return nil }
    guard let whole = SettingText.decoded(bytes) else {
      throw Unusable(path, reference, "is not text in UTF-8: save it as UTF-8")
    }
    let text = SettingText.trimmed(whole)
    if let problem = SettingText.problem(text) { throw Unusable(path, reference, problem) }
    return text.isEmpty ? nil : Data(text.utf8).base64EncodedString()
  }

  private func bytes(_ reference: SecretReference) async throws -> [UInt8]? {
    switch reference {
    case .environment(let name):
      return variables[name].map { Array($0.utf8) }
    case .file(let path):
      let home = variables["HOME"] ?? ""
      let full = path.hasPrefix("~/") ? home + path.dropFirst() : path
      return FileManager.default.contents(atPath: full).map { Array($0) }
    case .kubernetes(let name, let key):
      let encoded = try await kubectl.object("secrets", name)?.value.at("data", key)?.string
      return encoded.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
  }
}
