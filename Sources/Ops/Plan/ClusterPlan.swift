/// What apply would change. Pure: wanted objects and facts in, changes out.
package struct ClusterPlan: Hashable, Sendable {
  package var changes: [ObjectChange]
  package var unchanged: Int
  package var notes: [String]
  /// Why it cannot be applied: kinds that neither the cluster knows nor apply brings.
  package var obstacle: String?

  /// - Parameter secrets: wanted Secrets, see `SecretPlan`.
  package init(desired: [KubernetesObject], secrets: SecretPlan, facts: ClusterFacts) {
    let live = Self.byIdentity(facts.live)
    let predicted = Self.byIdentity(facts.predicted)
    let wanted = Set(desired.map(\.identity))
    changes = []
    unchanged = 0
    for object in desired {
      guard let current = live[object.identity] else {
        changes.append(ObjectChange(.create, object.identity))
        continue
      }
      let next = predicted[object.identity] ?? current
      let known = FieldChange.between(Self.comparable(current), Self.comparable(next))
      let added = ForeignFields(current).fields.map(\.change).filter { one in !known.contains { $0.path == one.path } }
      let fields = (known + added).sorted { $0.path < $1.path }
      if fields.isEmpty {
        unchanged += 1
      } else {
        changes.append(ObjectChange(.update, object.identity, fields: fields))
      }
    }
    for object in facts.owned where !wanted.contains(object.identity) {
      changes.append(ObjectChange(.delete, object.identity))
    }
    changes = Self.joiningGenerated(changes, desired: desired, owned: facts.owned)
    let ofSecrets = secrets.changes(live: facts.secrets)
    unchanged += secrets.wanted.count - ofSecrets.count
    changes = (changes + ofSecrets).sorted { $0.identity < $1.identity }
    obstacle = Self.obstacle(desired, unknown: facts.unknownKinds)
    notes = secrets.notes + (obstacle.map { [$0] } ?? [])
  }

  private static func obstacle(_ desired: [KubernetesObject], unknown: Set<String>) -> String? {
    let bringsCertManager =
      !unknown.contains("HelmChart") && desired.contains { $0.kind == "HelmChart" && $0.name == "cert-manager" }
    let missing = desired.filter { object in
      unknown.contains(object.kind) && !(bringsCertManager && object.identity.group == "cert-manager.io")
    }
    if missing.isEmpty { return nil }
    let kinds = Set(missing.map { "\($0.kind) (\($0.identity.group))" }).sorted().joined(separator: ", ")
    return
      "this Kubernetes does not know \(kinds): install what brings them first (k3s brings HelmChart; the README.md of a "
      + "feature below deploy/kubernetes/components says what it needs)"
  }

  package var isEmpty: Bool { changes.isEmpty }

  /// `2 to create, 1 to change, 0 to delete, 17 unchanged`
  package var counts: String {
    func count(_ action: ObjectChange.Action) -> Int { changes.filter { $0.action == action }.count }
    return
      "\(count(.create)) to create, \(count(.update)) to change, \(count(.delete)) to delete, \(unchanged) unchanged"
  }

  package var lines: [String] { changes.flatMap(\.lines) + notes.map { "note: \($0)" } + [counts] }

  package var json: JSONValue {
    .object([
      "changes": .array(
        changes.map { change in
          [
            "action": .string("\(change.action)"), "kind": .string(change.identity.kind),
            "namespace": .string(change.identity.namespace), "name": .string(change.identity.name),
            "fields": .array(
              change.fields.map { field in
                [
                  "path": .string(field.path), "before": field.before.map { .string($0) } ?? .null,
                  "after": field.after.map { .string($0) } ?? .null,
                ]
              }),
          ]
        }),
      "unchanged": .integer(Int64(unchanged)),
      "notes": .array(notes.map { .string($0) }),
    ])
  }

  private static func byIdentity(_ objects: [KubernetesObject]) -> [KubernetesObject.Identity: KubernetesObject] {
    Dictionary(objects.map { ($0.identity, $0) }) { $1 }
  }

  /// Without what the server keeps for itself, and without the mark that only the pruning apply sets.
  static func comparable(_ object: KubernetesObject) -> JSONValue {
    var value = object.value
    value["status"] = nil
    guard var metadata = value["metadata"] else { return value }
    for key in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"] {
      metadata[key] = nil
    }
    metadata["labels"]?["applyset.kubernetes.io/part-of"] = nil
    metadata["annotations"]?["deprecated.daemonset.template.generation"] = nil
    metadata["annotations"]?["bashupload.app/woken"] = nil
    for key in ["labels", "annotations"] where metadata[key]?.members.isEmpty == true { metadata[key] = nil }
    value["metadata"] = metadata
    return value
  }

  /// A generated ConfigMap has a hash in its name, so a changed value is one ConfigMap more and one less. To a reader it
  /// is one that changed.
  private static func joiningGenerated(
    _ changes: [ObjectChange], desired: [KubernetesObject], owned: [KubernetesObject]
  ) -> [ObjectChange] {
    var rest = changes
    for old in changes where old.action == .delete && old.identity.kind == "ConfigMap" {
      guard let stem = stem(old.identity.name),
        let new = rest.first(where: {
          $0.action == .create && $0.identity.kind == "ConfigMap" && $0.identity.namespace == old.identity.namespace
            && Self.stem($0.identity.name) == stem
        }),
        let before = owned.first(where: { $0.identity == old.identity }),
        let after = desired.first(where: { $0.identity == new.identity })
      else { continue }
      rest.removeAll { $0 == old || $0 == new }
      let fields = FieldChange.between(
        ["data": before.value["data"] ?? .null], ["data": after.value["data"] ?? .null])
      var identity = old.identity
      identity.name = stem
      rest.append(
        ObjectChange(.update, identity, fields: fields, note: "\(old.identity.name) becomes \(new.identity.name)"))
    }
    return rest
  }

  /// The name without kustomize's hash of ten characters.
  private static func stem(_ name: String) -> String? {
    let parts = name.split(separator: "-")
    guard parts.count > 1, let last = parts.last, last.count == 10 else { return nil }
    return String(name.dropLast(11))
  }
}
