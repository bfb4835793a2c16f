/// Secrets as they were before others replaced them: the way back while nobody knows whether the new ones work. Copies stay
/// in the cluster meanwhile, because a run that is killed takes what it remembers with it.
struct ReplacedSecrets: Sendable {
  private static let label = "bashupload.app/before"

  let kubectl: Kubectl
  private let wanted: [KubernetesObject]
  private var copies: [KubernetesObject]

  /// What an earlier run has kept of these Secrets.
  init(_ secrets: SecretPlan, kubectl: Kubectl) async throws {
    self.kubectl = kubectl
    wanted = secrets.objects
    copies = []
    try await read()
  }

  /// Whether something else than what is wanted can be put back.
  var isEmpty: Bool { others.isEmpty }

  /// To be called before anything is replaced. A copy that is there already stays: what has come since has not proven itself.
  mutating func keep() async throws {
    let kept = Set(copies.map { Self.original(of: $0).identity })
    let new = try await kubectl.live(wanted.map(\.bare)).objects.filter { live in
      !kept.contains(live.identity)
        && wanted.contains { $0.identity == live.identity && $0.value["data"] != live.value["data"] }
    }
    if new.isEmpty { return }
    try await kubectl.apply(new.map(copy))
    try await read()
  }

  /// Puts them back.
  /// - Returns: what is as it was.
  func restore() async throws -> [KubernetesObject] {
    let originals = others.map(Self.original)
    try await kubectl.apply(originals)
    // Runs that began with the wrong ones say nothing of these, and the next one does what they have not done.
    if let since = others.map(Self.time).min() {
      try await kubectl.delete(
        try await kubectl.get("jobs", selector: "app.kubernetes.io/component=cleanup").filter { Self.time($0) >= since }
      )
    }
    try await forget()
    return originals
  }

  /// Those of this name, or all others.
  func only(_ name: String, isOther: Bool = false) -> ReplacedSecrets {
    var some = self
    some.copies = copies.filter { (Self.original(of: $0).name == name) != isOther }
    return some
  }

  /// The new ones work.
  func forget() async throws { try await kubectl.delete(copies) }

  private var others: [KubernetesObject] {
    copies.filter { copy in
      let original = Self.original(of: copy)
      return wanted.contains { $0.identity == original.identity && $0.value["data"] != original.value["data"] }
    }
  }

  private mutating func read() async throws {
    copies = try await kubectl.get("secrets", namespace: nil, selector: Self.label).filter { copy in
      wanted.contains { $0.identity == Self.original(of: copy).identity }
    }
  }

  private func copy(of secret: KubernetesObject) -> KubernetesObject {
    Self.secret(
      like: secret, name: "\(secret.name)-before", labels: labels(of: secret, [Self.label: .string(secret.name)]))
  }

  private static func original(of copy: KubernetesObject) -> KubernetesObject {
    var labels = copy.value.at("metadata", "labels")?.members ?? [:]
    let name = labels.removeValue(forKey: label)?.string ?? ""
    return secret(like: copy, name: name, labels: labels)
  }

  /// Those of ours: `destroy` finds a copy by them as it finds the Secret.
  private func labels(of secret: KubernetesObject, _ more: [String: JSONValue]) -> [String: JSONValue] {
    let own = wanted.first { $0.identity == secret.identity }?.value.at("metadata", "labels")?.members ?? [:]
    return own.merging(more) { $1 }
  }

  private static func secret(like other: KubernetesObject, name: String, labels: [String: JSONValue])
    -> KubernetesObject
  {
    KubernetesObject([
      "apiVersion": "v1", "kind": "Secret", "type": other.value["type"] ?? "Opaque",
      "metadata": ["name": .string(name), "namespace": .string(other.namespace), "labels": .object(labels)],
      "data": other.value["data"] ?? [:],
    ])
  }

  /// Of the API server, for both.
  private static func time(_ object: KubernetesObject) -> String {
    object.value.at("metadata", "creationTimestamp")?.string ?? ""
  }
}
