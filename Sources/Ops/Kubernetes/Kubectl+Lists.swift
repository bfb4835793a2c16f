extension Kubectl {
  /// What we have applied and pruned with: the objects of the kinds that the apply set names, with its mark.
  package func owned() async throws -> [KubernetesObject] {
    let name = Self.applySet.split(separator: "/").last.map(String.init) ?? ""
    guard let parent = try await object("configmaps", name),
      let id = parent.value.at("metadata", "labels", "applyset.kubernetes.io/id")?.string,
      let kinds = parent.value.at("metadata", "annotations", "applyset.kubernetes.io/contains-group-kinds")?.string,
      !kinds.isEmpty
    else { return [] }
    return try await get(kinds, namespace: nil, selector: "applyset.kubernetes.io/part-of=\(id)")
  }
}

extension Kubectl {
  /// The keys of our Secrets by namespace/name; values are dropped here.
  func secretKeys() async throws -> [String: Set<String>] {
    var keys: [String: Set<String>] = [:]
    for secret in try await get("secrets", namespace: nil, selector: "bashupload.app/cluster") {
      keys["\(secret.namespace)/\(secret.name)"] = Set((secret.value["data"]?.members ?? [:]).keys)
    }
    return keys
  }
}
