import Crypto

/// The Secrets that the service needs: where their values come from, and what of them is to change. Their values are in
/// memory only; a plan names keys and never shows them.
package struct SecretPlan: Sendable {
  /// A Secret and its keys.
  package struct Wanted: Sendable {
    package var namespace: String
    package var name: String
    /// Base64, as the API has it; `nil`: could not be read, see `notes`.
    package var data: [String: String?]
  }

  package var cluster: String
  package var wanted: [Wanted]
  package var notes: [String]

  package init(cluster: String, wanted: [Wanted], notes: [String] = []) {
    self.cluster = cluster
    self.wanted = wanted
    self.notes = notes
  }

  /// Against the live ones. A value that could not be read counts as unchanged when the key is there.
  func changes(live: [KubernetesObject]) -> [ObjectChange] {
    wanted.compactMap { secret in
      let identity = KubernetesObject.Identity(
        group: "", kind: "Secret", namespace: secret.namespace, name: secret.name)
      guard let current = live.first(where: { $0.identity == identity }) else {
        return ObjectChange(.create, identity, note: secret.data.keys.sorted().joined(separator: ", "))
      }
      let data = current.value["data"]?.members ?? [:]
      var fields: [FieldChange] = []
      for key in Set(data.keys).union(secret.data.keys).sorted() {
        let before = data[key]?.string
        guard let after = secret.data[key] else {
          fields.append(FieldChange(path: "data.\(key)", before: "(not shown)", after: nil))
          continue
        }
        if before == nil { fields.append(FieldChange(path: "data.\(key)", before: nil, after: "(not shown)")) }
        if let before, let after, before != after {
          fields.append(FieldChange(path: "data.\(key)", before: "(not shown)", after: "(another, not shown)"))
        }
      }
      return fields.isEmpty ? nil : ObjectChange(.update, identity, fields: fields)
    }
  }

  /// Of all credentials of the pods together; `nil` when one could not be read. With keys of the bucket in it, the
  /// password cannot be guessed from it.
  var digest: String? {
    guard let own = wanted.first(where: { $0.namespace == Kubectl.namespace && $0.name == "bashupload-r2" }) else {
      return nil
    }
    var hash = SHA256()
    for (key, value) in own.data.sorted(by: { $0.key < $1.key }) {
      guard let value else { return nil }
      hash.update(data: Array("\(key)=\(value)\n".utf8))
    }
    return hash.finalize().prefix(16).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  /// For kubectl's standard input.
  var objects: [KubernetesObject] {
    wanted.map { secret in
      KubernetesObject([
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": [
          "name": .string(secret.name), "namespace": .string(secret.namespace),
          "labels": ["bashupload.app/cluster": .string(cluster)],
        ],
        "data": .object(secret.data.compactMapValues { $0 }.mapValues { .string($0) }),
      ])
    }
  }
}
