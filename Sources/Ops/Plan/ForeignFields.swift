/// Fields that others have added to our objects. Server-side apply leaves them alone, because they have another owner, and one
/// more field can change what ours mean: `ingress: [{}]` opens what a policy closes, a key of a ConfigMap is a setting. The
/// owners are in `managedFields`, so what the server itself fills in is never mistaken for them. Pure.
package struct ForeignFields: Sendable {
  /// A field that goes.
  package struct Field: Hashable, Sendable {
    /// As JSON Patch names it.
    package var pointer: String
    /// As a plan shows it.
    package var change: FieldChange
  }

  let identity: KubernetesObject.Identity
  package private(set) var fields: [Field] = []

  /// Parts of Kubernetes that write what belongs to them into objects of others: the bound volume of a claim, for example.
  private static let parts = ["kube-", "k3s", "kubelet", "helm", "cert-manager", "cainjector"]
  /// What `kubectl rollout restart` writes is an order of the operator and not a state.
  private static let orders: Set<String> = ["f:kubectl.kubernetes.io/restartedAt"]
  /// Names, marks and the state have rules of their own.
  private static let skipped: Set<String> = ["f:metadata", "f:status"]

  /// - Parameter live: with its managedFields.
  package init(_ live: KubernetesObject) {
    identity = live.identity
    var ours = JSONValue.object([:])
    var others: [JSONValue] = []
    for entry in live.value.at("metadata", "managedFields")?.array ?? [] {
      guard let manager = entry["manager"]?.string, let tree = entry["fieldsV1"], entry["subresource"] == nil else {
        continue
      }
      if manager == Kubectl.fieldManager {
        ours = Self.union(ours, tree)
      } else if !Self.parts.contains(where: { manager.hasPrefix($0) }) {
        others.append(tree)
      }
    }
    // Without ours it is not known what is ours.
    if ours.members.isEmpty { return }
    for tree in others {
      for (key, below) in tree.members.sorted(by: { $0.key < $1.key }) where !Self.skipped.contains(key) {
        walk(key, below, ours, live.value, pointer: "", path: "")
      }
    }
    // Elements of a list go from its end, so that the places of the others stay.
    fields = Set(fields).sorted { Self.order($0.pointer) > Self.order($1.pointer) }
  }

  private static func union(_ one: JSONValue, _ other: JSONValue) -> JSONValue {
    .object(one.members.merging(other.members) { union($0, $1) })
  }

  /// Numbers as numbers: 10 is behind 9.
  private static func order(_ pointer: String) -> String {
    pointer.split(separator: "/").map { part in
      part.allSatisfy(\.isNumber) ? String(repeating: "0", count: max(0, 6 - part.count)) + part : String(part)
    }.joined(separator: "/")
  }

  private mutating func walk(
    _ key: String, _ below: JSONValue, _ ours: JSONValue, _ value: JSONValue, pointer: String, path: String
  ) {
    guard key != ".", !Self.orders.contains(key), let (next, step, word) = Self.child(key, of: value) else { return }
    let (pointer, path) = (pointer + "/" + step, path + word)
    guard let owned = ours[key] else {
      fields.append(
        Field(
          pointer: pointer,
          change: FieldChange(path: String(path.drop { $0 == "." }), before: next.summary, after: nil)))
      return
    }
    // A leaf that is ours as well is compared with what it shall be.
    if owned.members.isEmpty { return }
    for (key, below) in below.members.sorted(by: { $0.key < $1.key }) {
      walk(key, below, owned, next, pointer: pointer, path: path)
    }
  }

  /// The value that a key of `fieldsV1` means, with its place: `f:name`, `k:{"name":"app"}`, `v:"text"`.
  private static func child(_ key: String, of value: JSONValue) -> (JSONValue, String, String)? {
    let name = String(key.dropFirst(2))
    if key.hasPrefix("f:") {
      return value[name].map {
        ($0, name.replacing("~", with: "~0").replacing("/", with: "~1"), ".\(name)")
      }
    }
    guard let wanted = try? JSONValue(parsing: name) else { return nil }
    let list = value.array
    let found =
      key.hasPrefix("k:")
      ? list.firstIndex { element in wanted.members.allSatisfy { element[$0.key] == $0.value } }
      : key.hasPrefix("v:") ? list.firstIndex(of: wanted) : nil
    return found.map { index in
      (list[index], String(index), "[\(wanted.members["name"]?.string ?? wanted.string ?? String(index))]")
    }
  }

  /// For `kubectl patch --type=json`; refused when somebody has changed the object since.
  package func patch(_ live: KubernetesObject) -> JSONValue {
    let version = live.value.at("metadata", "resourceVersion") ?? .null
    return .array(
      [["op": "test", "path": "/metadata/resourceVersion", "value": version]]
        + fields.map { ["op": "remove", "path": .string($0.pointer)] })
  }
}
