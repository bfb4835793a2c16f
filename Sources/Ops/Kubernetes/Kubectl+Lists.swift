extension Kubectl {
  /// The marks of our sets, one in each namespace that we have applied to.
  package func applySets() async throws -> [KubernetesObject] {
    try await get("configmaps", namespace: nil, selector: "applyset.kubernetes.io/id").filter {
      $0.name == Self.applySet
    }
  }

  /// What we have applied and pruned with: the objects of the kinds that a set names, with its mark.
  package func owned(by set: KubernetesObject) async throws -> [KubernetesObject] {
    guard let id = set.value.at("metadata", "labels", "applyset.kubernetes.io/id")?.string,
      let kinds = set.value.at("metadata", "annotations", "applyset.kubernetes.io/contains-group-kinds")?.string,
      !kinds.isEmpty
    else { return [] }
    let selector = "applyset.kubernetes.io/part-of=\(id)"
    let together = try await get(kinds, namespace: nil, selector: selector)
    if !together.isEmpty { return together }
    // One kind that the cluster does not know any more hides all others of the list.
    var found: [KubernetesObject] = []
    for kind in kinds.split(separator: ",") {
      found += try await get(String(kind), namespace: nil, selector: selector)
    }
    return found
  }

  /// Everything that we have applied.
  package func owned() async throws -> [KubernetesObject] {
    var found: [KubernetesObject] = []
    for set in try await applySets() { found += try await owned(by: set) }
    return found
  }
}

extension Kubectl {
  /// One Kubernetes carries one installation: names and namespaces are fixed, so another cluster file would take over, or
  /// destroy, what is not its own.
  ///
  /// - Throws: `DeployCommand.Failure` when what runs here is of another file.
  func requireOwn(_ file: ClusterFile) async throws {
    let namespace = try await object("namespaces", Self.namespace)
    let owner = namespace?.value.at("metadata", "labels", "bashupload.app/cluster")?.string
    if let owner, owner != file.cluster {
      throw DeployCommand.Failure(
        "this Kubernetes runs the installation \(owner), and the file is of \(file.cluster): nothing has been changed; "
          + "use the file of \(owner), or another KUBECONFIG")
    }
  }

  /// What the server is; `nil` when it does not say.
  func serverVersion() async throws -> ServerVersion? {
    ServerVersion(try JSONValue(parsing: try await output(["version", "--output=json"])))
  }

  /// - Throws: `DeployCommand.Failure` when the server is too old for what is deployed.
  func requireVersion() async throws {
    if let shortfall = try await serverVersion()?.shortfall {
      throw DeployCommand.Failure("\(shortfall); nothing has been changed")
    }
  }

  /// The keys of our Secrets by namespace/name; values are dropped here.
  func secretKeys() async throws -> [String: Set<String>] {
    var keys: [String: Set<String>] = [:]
    for secret in try await get("secrets", namespace: nil, selector: "bashupload.app/cluster") {
      keys["\(secret.namespace)/\(secret.name)"] = Set((secret.value["data"]?.members ?? [:]).keys)
    }
    return keys
  }
}
