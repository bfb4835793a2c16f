/// The operator's own kubectl with the operator's own credentials: we keep neither an API client nor a kubeconfig.
package struct Kubectl: Sendable {
  /// The owner of the fields that we set (server-side apply).
  package static let fieldManager = "bashupload-deploy"
  /// The namespace of the service.
  package static let namespace = "bashupload"
  /// The object that knows what we have applied, one in each namespace; what is in it and no longer wanted is pruned.
  package static let applySet = "bashupload-applyset"

  package let runner: any CommandRunner

  package init(_ runner: any CommandRunner) {
    self.runner = runner
  }

  /// Builds a kustomize root; needs no cluster.
  package func kustomize(_ folder: String) async throws -> [KubernetesObject] {
    try YAMLObjects.parse(try await output(["kustomize", folder]))
  }

  /// The live versions of these objects; what does not exist is left out, and so are kinds that the cluster does not know
  /// (the CRDs of cert-manager before its first start), which are named.
  package func live(_ objects: [KubernetesObject]) async throws -> (objects: [KubernetesObject], unknown: Set<String>) {
    var asked = objects
    var missing: Set<String> = []
    for _ in 0..<10 where !asked.isEmpty {
      let result = try await run(
        ["get", "--ignore-not-found", "--output=json", "--show-managed-fields=true", "--filename=-"],
        input: KubernetesObject.stream(asked))
      if result.status == 0 { return (try KubernetesObject.parse(json: result.output), missing) }
      let unknown = Self.unknownKinds(result.complaint)
      let known = asked.filter { !unknown.contains($0.kind) }
      if known.count == asked.count { throw KubectlError(result, "get the live objects") }
      asked = known
      missing.formUnion(unknown)
    }
    return ([], missing)
  }

  private static func unknownKinds(_ complaint: String) -> Set<String> {
    Set(complaint.matches(of: #/no matches for kind "(\w+)"/#).map { String($0.1) })
  }

  /// What the server would make of these objects, defaults included, without doing it.
  package func predicted(_ objects: [KubernetesObject]) async throws -> [KubernetesObject] {
    if objects.isEmpty { return [] }
    let text = try await output(
      ["apply"] + Self.serverSide + ["--dry-run=server", "--output=json", "--filename=-"],
      input: KubernetesObject.stream(objects))
    return try KubernetesObject.parse(json: text)
  }

  private static let serverSide = ["--server-side", "--field-manager=\(fieldManager)", "--force-conflicts"]

  /// Applies objects and leaves all others alone.
  package func apply(_ objects: [KubernetesObject]) async throws {
    if objects.isEmpty { return }
    _ = try await output(
      ["apply"] + Self.serverSide + ["--filename=-"], input: KubernetesObject.stream(objects))
  }

  /// Applies the whole set of a namespace; what was in it the last time and is not now goes. Objects of the whole cluster
  /// may be in any set. (kubectl refuses objects of two namespaces in one set whose mark is in a namespace.)
  package func applyPruning(_ objects: [KubernetesObject], namespace: String) async throws {
    _ = try await output(
      ["apply"] + Self.serverSide + [
        "--prune", "--applyset=configmaps/\(Self.applySet)", "--namespace=\(namespace)", "--filename=-",
      ],
      environment: ["KUBECTL_APPLYSET": "true"], input: KubernetesObject.stream(objects), deadline: 300)
  }

  /// Creates an object; `false` when there is one of this name.
  package func create(_ object: KubernetesObject) async throws -> Bool {
    let result = try await run(["create", "--filename=-"], input: KubernetesObject.stream([object]))
    if result.status == 0 { return true }
    if result.complaint.contains("AlreadyExists") || result.complaint.contains("already exists") { return false }
    throw KubectlError(result, "create \(object.identity)")
  }

  /// Replaces an object if nobody has changed it since (its resourceVersion says so); `false` when somebody has.
  package func replace(_ object: KubernetesObject) async throws -> Bool {
    let result = try await run(["replace", "--filename=-"], input: KubernetesObject.stream([object]))
    if result.status == 0 { return true }
    if result.complaint.contains("Conflict") || result.complaint.contains("NotFound") { return false }
    throw KubectlError(result, "replace \(object.identity)")
  }

  /// Removes from these objects what others have added; one that is changed meanwhile is asked for and tried again.
  package func removeForeignFields(_ objects: [KubernetesObject]) async throws -> [KubernetesObject.Identity] {
    var removed: [KubernetesObject.Identity] = []
    for live in try await live(objects).objects {
      var live = live
      for attempt in 1...5 {
        let foreign = ForeignFields(live)
        if foreign.fields.isEmpty { break }
        let result = try await run(
          ["patch", "--type=json", "--patch=\(foreign.patch(live).json)", "--filename=-"],
          input: KubernetesObject.stream([live.bare]))
        if result.status == 0 {
          removed.append(live.identity)
          break
        }
        guard attempt < 5, let next = try await self.live([live.bare]).objects.first else {
          throw KubectlError(result, "remove added fields of \(live.identity)")
        }
        live = next
      }
    }
    return removed
  }

  /// Writes one annotation and leaves those of other owners alone.
  func annotate(_ object: KubernetesObject, _ key: String, _ value: String) async throws {
    _ = try await output(
      ["annotate", "--overwrite", "--filename=-", "\(key)=\(value)"], input: KubernetesObject.stream([object.bare]))
  }

  /// Objects of a kind.
  package func get(
    _ kind: String, name: String? = nil, namespace: String? = Kubectl.namespace, selector: String? = nil
  ) async throws -> [KubernetesObject] {
    var arguments = ["get", kind]
    if let name { arguments.append(name) }
    arguments.append(namespace.map { "--namespace=\($0)" } ?? "--all-namespaces")
    if let selector { arguments.append("--selector=\(selector)") }
    let result = try await run(arguments + ["--ignore-not-found", "--output=json"])
    if result.status != 0 {
      // A kind that the cluster does not know has no objects.
      if result.complaint.contains("the server doesn't have a resource type") { return [] }
      throw KubectlError(result, "get \(kind)")
    }
    return try KubernetesObject.parse(json: result.output)
  }

  /// One object by name.
  package func object(_ kind: String, _ name: String, namespace: String = Kubectl.namespace) async throws
    -> KubernetesObject?
  {
    try await get(kind, name: name, namespace: namespace).first
  }

  /// Deletes objects; those that are gone already are no error.
  package func delete(_ objects: [KubernetesObject]) async throws {
    if objects.isEmpty { return }
    let bare = objects.map { object in
      KubernetesObject([
        "apiVersion": object.value["apiVersion"] ?? "v1", "kind": .string(object.kind),
        "metadata": .object(
          ["name": .string(object.name)].merging(
            object.namespace.isEmpty ? [:] : ["namespace": .string(object.namespace)]
          ) { $1 }),
      ])
    }
    _ = try await output(
      ["delete", "--ignore-not-found", "--wait=true", "--timeout=240s", "--filename=-"],
      input: KubernetesObject.stream(bare), deadline: 300)
  }

  /// The last lines of a container's log; empty when there is none.
  package func log(pod: String, container: String, previous: Bool) async throws -> String {
    let result = try await run(
      ["logs", pod, "--container=\(container)", "--namespace=\(Self.namespace)", "--tail=20"]
        + (previous ? ["--previous"] : []))
    return result.status == 0 ? result.output : ""
  }

  func output(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil, deadline: Int = 120
  ) async throws -> String {
    let result = try await run(arguments, environment: environment, input: input, deadline: deadline)
    if result.status != 0 { throw KubectlError(result, arguments.first ?? "") }
    return result.output
  }

  private func run(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil, deadline: Int = 120
  ) async throws -> CommandResult {
    try await runner.run(
      Invocation("kubectl", arguments, environment: environment, input: input, deadline: deadline))
  }
}
