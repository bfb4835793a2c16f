import Ops
import Synchronization

/// A cluster that answers kubectl and curl as the real ones do, as far as deploy asks: server-side apply with one field
/// manager, defaults of the server, dry runs, apply sets, generated status. `kubectl kustomize` runs for real.
final class FakeCluster: CommandRunner {
  struct State {
    var objects: [KubernetesObject.Identity: JSONValue] = [:]
    /// What we applied last, per object: what disappears from it disappears from the object.
    var applied: [KubernetesObject.Identity: JSONValue] = [:]
    var invocations: [Invocation] = []
    var unknownKinds: Set<String> = []
    /// Images that never become ready.
    var brokenImages: Set<String> = []
    /// Images that become ready and fail some seconds later.
    var fallingImages: Set<String> = []
    /// Images that run and never become ready.
    var slowImages: Set<String> = []
    /// Keys that the bucket or Cloudflare refuse, wherever they are used.
    var badKeys: Set<String> = []
    /// What k3s could not do with a snapshot.
    var complaintOfSnapshots: String?
    /// Why k3s does not take a snapshot back.
    var complaintOfRestore: String?
    /// The connection ends while a snapshot is taken back.
    var isCutOffInRestore = false
    /// URLs of API servers that nobody reaches; without `--server` it is the first.
    var serversAway: Set<String> = []
    /// Control nodes whose k3s is ready only when all of them have been started.
    var waitingForQuorum: Set<String> = []
    /// How often `kubectl drain` reaches its time.
    var slowDrains = 0
    /// Servers without a k3s.
    var bare: Set<String> = []
    /// The API refuses pods of the service.
    var isOverQuota = false
    /// The service takes no uploads.
    var refusesUploads = false
    /// How often the webhook of cert-manager is not trusted yet.
    var webhookRefusals = 0
    /// How often kubectl gets no answer to a question about the DaemonSet.
    var failingLooks = 0
    var uploads: [String: String] = [:]
    /// What curl says of every IPv6 address.
    var complaintOfIPv6: String?
    var version = 100
    var looksAtEnding = 0
    var server = (minor: "33", name: "v1.33.5+k3s1")
    /// Addresses of the servers that ssh reaches, by name.
    var machines: [String: String] = [:]
    /// Versions of k3s by the digests of their binaries.
    var binaries: [String: String] = [:]
    /// What the servers say of themselves besides: lines of facts, by name.
    var facts: [String: String] = [:]
    /// How often the servers have started, by name.
    var starts: [String: Int] = [:]
    /// What k3s says of itself on the servers, by name.
    var journals: [String: String] = [:]
    /// Servers that k3s lets in only when the password of an earlier one is forgotten.
    var rejected: Set<String> = []
    /// Control nodes whose k3s does not start as long as etcd has another member of their name.
    var duplicates: Set<String> = []
    /// Servers that were built anew: no token, no k3s that runs.
    var fresh: Set<String> = []
    /// Servers that want a reboot, and those that do not come back from one.
    var needsReboot: Set<String> = []
    var lost: Set<String> = []
    /// The API server does not answer.
    var isServerAway = false
    var complaintOfServer = "dial tcp: connection refused"
    /// Edges that answer nothing.
    var deadEdges: Set<String> = []
    /// The nth call of kubectl that changes something fails, as if the connection broke.
    var failingChange: Int?
    var changesSeen = 0
  }

  let state = Mutex(State())

  var invocations: [Invocation] { state.withLock { $0.invocations } }

  func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    // As a program that is ended with the task that runs it.
    if Task.isCancelled { throw CommandError.failed(invocation.line, reason: "CancellationError()") }
    if invocation.program == "kubectl", invocation.arguments.first == "kustomize" {
      state.withLock { $0.invocations.append(invocation) }
      return try await BuiltTrees.shared.run(invocation)
    }
    await waitForQuorum(invocation)
    return state.withLock { state in
      state.invocations.append(invocation)
      switch invocation.program {
      case "curl": return state.curl(invocation)
      case "ssh": return state.ssh(invocation)
      case "scp": return CommandResult(status: 0, output: "")
      default: return state.kubectl(invocation)
      }
    }
  }

  /// As `systemctl restart` of a server whose etcd has no majority yet; two seconds stand for ten minutes.
  private func waitForQuorum(_ invocation: Invocation) async {
    guard invocation.input?.contains("systemctl restart k3s.service") == true else { return }
    state.withLock { state in
      let name = state.machines.first { entry in invocation.arguments.contains { $0.hasSuffix("@\(entry.value)") } }?
        .key
      if let name { state.waitingForQuorum.remove(name) }
    }
    for _ in 0..<200 where state.withLock({ !$0.waitingForQuorum.isEmpty }) {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  func object(_ kind: String, _ name: String) -> JSONValue? {
    state.withLock { $0.objects.first { $0.key.kind == kind && $0.key.name == name }?.value }
  }

  /// A Secret that the operator has made.
  func add(secret name: String, data: [String: String] = [:]) {
    let identity = KubernetesObject.Identity(group: "", kind: "Secret", namespace: Kubectl.namespace, name: name)
    state.withLock {
      $0.objects[identity] = [
        "apiVersion": "v1", "kind": "Secret",
        "metadata": ["name": .string(name), "namespace": .string(Kubectl.namespace), "resourceVersion": "9"],
        "data": .object(data.mapValues { .string($0) }),
      ]
    }
  }

  /// The lock, that somebody has.
  func addLease(_ holder: String) {
    let identity = KubernetesObject.Identity(
      group: "coordination.k8s.io", kind: "Lease", namespace: "kube-system", name: "bashupload-deploy")
    state.withLock {
      $0.objects[identity] = [
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": ["name": "bashupload-deploy", "namespace": "kube-system", "resourceVersion": "7"],
        "spec": [
          "holderIdentity": .string(holder), "acquireTime": "2999-01-01T00:00:00.000000Z",
          "renewTime": "2999-01-01T00:00:00.000000Z",
        ],
      ]
    }
  }

  func remove(_ kind: String, _ name: String) {
    state.withLock { state in
      for identity in state.objects.keys where identity.kind == kind && identity.name == name {
        state.objects[identity] = nil
      }
    }
  }

  func change(_ kind: String, _ name: String, _ body: (inout JSONValue) -> Void) {
    state.withLock { state in
      for identity in state.objects.keys where identity.kind == kind && identity.name == name {
        if var value = state.objects[identity] {
          body(&value)
          state.objects[identity] = value
        }
      }
    }
  }
}

extension FakeCluster.State {
  mutating func kubectl(_ invocation: Invocation) -> CommandResult {
    let words = invocation.arguments
    let asked = words.first { $0.hasPrefix("--server=") }.map { String($0.dropFirst("--server=".count)) }
    if isServerAway || serversAway.contains(asked ?? serversAway.sorted().first ?? "") {
      return CommandResult(status: 1, output: "", complaint: complaintOfServer)
    }
    if failingLooks > 0, words.starts(with: ["get", "daemonsets", "bashupload"]) {
      failingLooks -= 1
      return CommandResult(status: 1, output: "", complaint: "Unable to connect to the server: EOF")
    }
    let input = (try? KubernetesObject.parse(json: invocation.input ?? "")) ?? []
    if ["apply", "create", "replace", "delete"].contains(words[0]), !words.contains("--dry-run=server") {
      changesSeen += 1
      if changesSeen == failingChange {
        return CommandResult(status: 1, output: "", complaint: "Unable to connect to the server: EOF")
      }
    }
    switch words[0] {
    case "get" where words.contains("--filename=-"): return getListed(input)
    case "get": return get(words)
    case "apply": return apply(input, words)
    case "patch": return patch(input, words)
    case "create": return create(input)
    case "replace": return replace(input)
    case "delete":
      for object in input {
        objects[object.identity] = nil
        applied[object.identity] = nil
        if object.kind == "Secret" { letIn(object.name) }
        if object.kind == "Pod",
          let id = objects.keys.first(where: { $0.kind == "DaemonSet" && $0.name == "bashupload" })
        {
          settle(id)
        }
        if object.kind == "Namespace" { for id in objects.keys where id.namespace == object.name { objects[id] = nil } }
      }
      return CommandResult(status: 0, output: "")
    case "version":
      return CommandResult(
        status: 0,
        output: JSONValue.object([
          "serverVersion": ["major": "1", "minor": .string(server.minor), "gitVersion": .string(server.name)]
        ]).json)
    case "drain" where slowDrains > 0:
      slowDrains -= 1
      return CommandResult(
        status: 1, output: "", complaint: "error when waiting for pod \"x\" terminating: global timeout reached: 10m0s")
    case "cordon", "uncordon", "drain", "label", "taint", "annotate": return changeNode(words)
    case "logs": return CommandResult(status: 0, output: "line one\nfatal: cannot start\n")
    default: return CommandResult(status: 1, output: "", complaint: "unknown command \(words[0])")
    }
  }

  private func list(_ values: [JSONValue]) -> CommandResult {
    CommandResult(
      status: 0,
      output: values.isEmpty
        ? "" : JSONValue.object(["apiVersion": "v1", "kind": "List", "items": .array(values)]).json)
  }

  private func getListed(_ input: [KubernetesObject]) -> CommandResult {
    let unknown = input.filter { unknownKinds.contains($0.kind) }
    if let first = unknown.first {
      return CommandResult(
        status: 1, output: "",
        complaint: "error: resource mapping not found for name: \"\(first.name)\" namespace: \"\" from \"STDIN\": "
          + "no matches for kind \"\(first.kind)\" in version \"\(first.value["apiVersion"]?.string ?? "")\"\nensure CRDs are installed first"
      )
    }
    return list(input.compactMap { objects[$0.identity] })
  }

  private static let kinds = [
    "pods": "Pod", "daemonsets": "DaemonSet", "configmaps": "ConfigMap", "leases": "Lease", "cronjobs": "CronJob",
    "jobs": "Job", "events": "Event", "nodes": "Node", "namespaces": "Namespace", "secrets": "Secret",
    "deployments": "Deployment", "customresourcedefinitions": "CustomResourceDefinition",
    "certificates.cert-manager.io": "Certificate", "challenges.acme.cert-manager.io": "Challenge",
    "etcdsnapshotfiles.k3s.cattle.io": "ETCDSnapshotFile",
  ]

  private mutating func get(_ words: [String]) -> CommandResult {
    let kinds = words[1].split(separator: ",").map { word in
      Self.kinds[String(word)] ?? String(word.split(separator: ".").first ?? "")
    }
    if kinds == ["Certificate"], unknownKinds.contains("Certificate") {
      return CommandResult(
        status: 1, output: "", complaint: "error: the server doesn't have a resource type \"certificates\"")
    }
    let name = words.count > 2 && !words[2].hasPrefix("-") ? words[2] : nil
    let namespace = words.first { $0.hasPrefix("--namespace=") }?.split(separator: "=").last.map(String.init)
    let selector = words.first { $0.hasPrefix("--selector=") }?.dropFirst("--selector=".count)
    let found = objects.filter { identity, value in
      let labels = value.at("metadata", "labels")?.members ?? [:]
      let isSelected = (selector?.split(separator: ",") ?? []).allSatisfy { term in
        let parts = term.split(separator: "=", maxSplits: 1).map(String.init)
        return parts.count == 2 ? labels[parts[0]]?.string == parts[1] : labels[parts[0]] != nil
      }
      return kinds.contains(identity.kind) && (name == nil || identity.name == name)
        && (namespace == nil || identity.namespace.isEmpty || identity.namespace == namespace) && isSelected
    }.sorted { $0.key < $1.key }
    for identity in found.map(\.key) where identity.kind == "Namespace" { look(atEnding: identity) }
    return list(found.map(\.value))
  }

  /// A namespace that ends is gone after it has been seen three times.
  private mutating func look(atEnding namespace: KubernetesObject.Identity) {
    if objects[namespace]?.at("metadata", "deletionTimestamp") == nil { return }
    looksAtEnding += 1
    if looksAtEnding < 3 { return }
    looksAtEnding = 0
    for identity in objects.keys where identity.namespace == namespace.name { objects[identity] = nil }
    objects[namespace] = nil
  }

  /// JSON Patch, as far as fields are removed.
  private mutating func patch(_ input: [KubernetesObject], _ words: [String]) -> CommandResult {
    let text = words.first { $0.hasPrefix("--patch=") }?.dropFirst("--patch=".count) ?? ""
    guard let id = input.first?.identity, let steps = try? JSONValue(parsing: String(text)) else {
      return CommandResult(status: 1, output: "", complaint: "error: no patch")
    }
    func removed(_ value: JSONValue, _ path: ArraySlice<String>) -> JSONValue {
      guard let key = path.first else { return value }
      if case .array(var list) = value, let index = Int(key) {
        if path.count == 1 { list.remove(at: index) } else { list[index] = removed(list[index], path.dropFirst()) }
        return .array(list)
      }
      var value = value
      value[key] = path.count == 1 ? nil : value[key].map { removed($0, path.dropFirst()) }
      return value
    }
    for step in steps.array where step["op"]?.string == "remove" {
      let path = (step["path"]?.string ?? "").split(separator: "/").map(String.init)
      objects[id] = objects[id].map { removed($0, path[...]) }
    }
    objects[id]?["metadata"]?["managedFields"] = [["manager": .string(Kubectl.fieldManager)]]
    return CommandResult(status: 0, output: "")
  }

  private mutating func apply(_ input: [KubernetesObject], _ words: [String]) -> CommandResult {
    if let object = input.first(where: { unknownKinds.contains($0.kind) }) {
      return CommandResult(
        status: 1, output: "", complaint: "error: no matches for kind \"\(object.kind)\" in version \"x\"")
    }
    for object in input where !object.namespace.isEmpty {
      let exists = objects.keys.contains { $0.kind == "Namespace" && $0.name == object.namespace }
      let comes = input.contains { $0.kind == "Namespace" && $0.name == object.namespace }
      if !exists, !comes, !["kube-system", "default", "system-upgrade"].contains(object.namespace) {
        return CommandResult(
          status: 1, output: "", complaint: "Error from server (NotFound): namespaces \"\(object.namespace)\" not found"
        )
      }
    }
    let isDry = words.contains("--dry-run=server")
    if webhookRefusals > 0, input.contains(where: { $0.kind == "ClusterIssuer" }) {
      if isDry { webhookRefusals -= 1 }
      return CommandResult(
        status: 1, output: "",
        complaint: "Error from server (InternalError): Internal error occurred: failed calling webhook "
          + "\"webhook.cert-manager.io\": tls: failed to verify certificate: x509: certificate signed by unknown authority"
      )
    }
    // As kubectl 1.33 says it: a set whose mark is in a namespace has objects of that namespace only.
    if words.contains("--prune") {
      let namespace = Self.namespace(words)
      if input.isEmpty { return CommandResult(status: 1, output: "", complaint: "error: no objects passed to apply") }
      if !objects.keys.contains(where: { $0.kind == "Namespace" && $0.name == namespace }), namespace != "kube-system" {
        return CommandResult(
          status: 1, output: "", complaint: "error: failed to update ApplySet: namespaces \"\(namespace)\" not found")
      }
      for object in input where !object.namespace.isEmpty && object.namespace != namespace {
        return CommandResult(
          status: 1, output: "",
          complaint:
            "error: the namespace from the provided object \"\(object.namespace)\" does not match the namespace "
            + "\"\(namespace)\". You must pass '--namespace=\(object.namespace)' to perform this operation.")
      }
    }
    var results: [JSONValue] = []
    for object in input {
      let next = merged(object)
      results.append(next)
      if isDry { continue }
      objects[object.identity] = next
      applied[object.identity] = object.value
      settle(object.identity)
    }
    if !isDry, words.contains("--prune") { prune(input, Self.namespace(words)) }
    return words.contains("--output=json") ? list(results) : CommandResult(status: 0, output: "")
  }

  private mutating func create(_ input: [KubernetesObject]) -> CommandResult {
    for object in input {
      if objects[object.identity] != nil {
        return CommandResult(
          status: 1, output: "", complaint: "Error from server (AlreadyExists): \(object.name) already exists")
      }
      objects[object.identity] = merged(object)
    }
    return CommandResult(status: 0, output: "created")
  }

  private mutating func replace(_ input: [KubernetesObject]) -> CommandResult {
    for object in input {
      let old = objects[object.identity]
      guard old?.at("metadata", "resourceVersion") == object.value.at("metadata", "resourceVersion") else {
        return CommandResult(
          status: 1, output: "", complaint: "Error from server (Conflict): the object has been modified")
      }
      // Nothing of the old one stays.
      objects[object.identity] = nil
      objects[object.identity] = merged(object)
    }
    return CommandResult(status: 0, output: "replaced")
  }

  /// Server-side apply: what we owned and name no longer goes, the rest of others stays, the server adds its defaults.
  private mutating func merged(_ object: KubernetesObject) -> JSONValue {
    version += 1
    let before = objects[object.identity]
    var value = Self.removing(from: before ?? .object([:]), what: applied[object.identity], notIn: object.value)
    value = Self.merge(value, object.value)
    value["metadata"]?["uid"] = .string("uid-\(object.name)")
    let generation = before?.at("metadata", "generation")?.integer ?? 0
    let isChanged = before?["spec"] != value["spec"]
    value["metadata"]?["generation"] = .integer(Int64(isChanged ? generation + 1 : generation))
    value["metadata"]?["resourceVersion"] = .string(String(version))
    value["metadata"]?["managedFields"] = [["manager": .string(Kubectl.fieldManager)]]
    if object.kind == "DaemonSet" {
      if value.at("spec", "template", "spec", "restartPolicy") == nil {
        value["spec"]?["template"]?["spec"]?["restartPolicy"] = "Always"
      }
    }
    return value
  }

  static func merge(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
    guard case .object(var members) = old, case .object(let more) = new else { return new }
    for (key, value) in more {
      members[key] = members[key].map { merge($0, value) } ?? value
    }
    return .object(members)
  }

  static func removing(from value: JSONValue, what owned: JSONValue?, notIn wanted: JSONValue) -> JSONValue {
    guard case .object(var members) = value, case .object(let old)? = owned else { return value }
    for (key, before) in old {
      guard let next = wanted[key] else {
        members[key] = nil
        continue
      }
      if let current = members[key] { members[key] = removing(from: current, what: before, notIn: next) }
    }
    return .object(members)
  }

  private static func namespace(_ words: [String]) -> String {
    words.first { $0.hasPrefix("--namespace=") }?.split(separator: "=").last.map(String.init) ?? "default"
  }

  private mutating func prune(_ input: [KubernetesObject], _ namespace: String) {
    let mark: JSONValue = .string("applyset-\(namespace)-v1")
    let wanted = Set(input.map(\.identity))
    for (identity, value) in objects
    where value.at("metadata", "labels", "applyset.kubernetes.io/part-of") == mark && !wanted.contains(identity) {
      // A namespace ends with the last pod in it; kubectl does not wait for that when it prunes.
      if identity.kind == "Namespace" {
        objects[identity]?["metadata"]?["deletionTimestamp"] = "2026-11-22T12:00:00Z"
        continue
      }
      objects[identity] = nil
      applied[identity] = nil
    }
    var kinds: Set<String> = []
    for identity in wanted {
      if objects[identity]?.at("metadata", "labels") == nil { objects[identity]?["metadata"]?["labels"] = .object([:]) }
      objects[identity]?["metadata"]?["labels"]?["applyset.kubernetes.io/part-of"] = mark
      kinds.insert(identity.group.isEmpty ? identity.kind : "\(identity.kind).\(identity.group)")
    }
    let parent = KubernetesObject.Identity(
      group: "", kind: "ConfigMap", namespace: namespace, name: Kubectl.applySet)
    objects[parent] = [
      "apiVersion": "v1", "kind": "ConfigMap",
      "metadata": [
        "name": .string(Kubectl.applySet), "namespace": .string(namespace),
        "labels": ["applyset.kubernetes.io/id": mark],
        "annotations": [
          "applyset.kubernetes.io/contains-group-kinds": .string(kinds.sorted().joined(separator: ",")),
          "applyset.kubernetes.io/tooling": "kubectl/v1.32",
        ],
      ],
    ]
  }
}
