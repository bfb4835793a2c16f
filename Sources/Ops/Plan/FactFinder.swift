import FoundationEssentials

/// Asks the cluster what a plan has to know; changes nothing.
struct FactFinder: Sendable {
  let kubectl: Kubectl
  let variables: [String: String]

  /// The objects of the rendered tree, built in a folder that is removed again.
  func desired(_ file: ClusterFile) async throws -> [KubernetesObject] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "bashupload-\(UInt64.random(in: 0...UInt64.max))")
    let path = folder.path
    try OutputFolder(path).replace(with: try Rendering(file).files)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await kubectl.kustomize("\(path)/kubernetes")
  }

  /// Pods read their credentials when they start: a digest of them in the pod template makes a changed password a rollout,
  /// one node after the other. A digest that cannot be computed is the live one, so that a plan shows no change of it.
  private func stamped(_ objects: [KubernetesObject], _ secrets: SecretPlan) async throws -> [KubernetesObject] {
    let key = "bashupload.app/credentials"
    var digest = secrets.digest
    if digest == nil {
      let live = try await kubectl.object("daemonsets", "bashupload")
      digest = live?.value.at("spec", "template", "metadata", "annotations", key)?.string
    }
    guard let digest else { return objects }
    return objects.map { object in
      guard object.kind == "DaemonSet", object.name == "bashupload" else { return object }
      var value = object.value
      if value.at("spec", "template", "metadata", "annotations") == nil {
        value["spec"]?["template"]?["metadata"]?["annotations"] = .object([:])
      }
      value["spec"]?["template"]?["metadata"]?["annotations"]?[key] = .string(digest)
      return KubernetesObject(value)
    }
  }

  func facts(_ desired: [KubernetesObject], _ secrets: SecretPlan) async throws -> ClusterFacts {
    let (live, unknown) = try await kubectl.live(desired)
    let existing = Set(live.map(\.identity))
    return ClusterFacts(
      live: live,
      predicted: try await kubectl.predicted(desired.filter { existing.contains($0.identity) }),
      owned: try await kubectl.owned(),
      secrets: try await kubectl.live(secrets.objects.map(\.bare)).objects, unknownKinds: unknown)
  }

  func plan(_ file: ClusterFile) async throws -> (plan: ClusterPlan, desired: [KubernetesObject], secrets: SecretPlan) {
    try await kubectl.requireVersion()
    try await kubectl.requireOwn(file)
    let secrets = try await SecretReader(kubectl: kubectl, variables: variables).plan(file)
    let desired = try await stamped(try await desired(file), secrets)
    return (
      ClusterPlan(desired: desired, secrets: secrets, facts: try await facts(desired, secrets)), desired, secrets
    )
  }
}

extension KubernetesObject {
  /// Only what names it: enough to ask for it or to delete it.
  var bare: KubernetesObject {
    var metadata: [String: JSONValue] = ["name": .string(name)]
    if !namespace.isEmpty { metadata["namespace"] = .string(namespace) }
    return KubernetesObject([
      "apiVersion": value["apiVersion"] ?? "v1", "kind": .string(kind), "metadata": .object(metadata),
    ])
  }
}
