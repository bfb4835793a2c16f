/// An object of Kubernetes.
package struct KubernetesObject: Hashable, Sendable {
  /// What makes it the same object: version is not a part of it.
  package struct Identity: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var group: String
    package var kind: String
    /// Empty for objects of the whole cluster.
    package var namespace: String
    package var name: String

    package init(group: String, kind: String, namespace: String, name: String) {
      (self.group, self.kind, self.namespace, self.name) = (group, kind, namespace, name)
    }

    package var description: String { namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)" }

    package static func < (lhs: Identity, rhs: Identity) -> Bool {
      (lhs.kind, lhs.namespace, lhs.name, lhs.group) < (rhs.kind, rhs.namespace, rhs.name, rhs.group)
    }
  }

  package var value: JSONValue

  package init(_ value: JSONValue) {
    self.value = value
  }

  package var kind: String { value["kind"]?.string ?? "" }
  package var name: String { value.at("metadata", "name")?.string ?? "" }
  package var namespace: String { value.at("metadata", "namespace")?.string ?? "" }

  package var identity: Identity {
    let parts = (value["apiVersion"]?.string ?? "").split(separator: "/")
    return Identity(
      group: parts.count == 2 ? String(parts[0]) : "", kind: kind, namespace: namespace, name: name)
  }

  /// The elements of a `List`, or the object itself.
  package static func list(_ value: JSONValue) -> [KubernetesObject] {
    value["kind"]?.string?.hasSuffix("List") == true && value["items"] != nil
      ? (value["items"]?.array ?? []).map(KubernetesObject.init) : [KubernetesObject(value)]
  }

  /// What kubectl prints with `-o json`: one object, a list, several one after another, or nothing.
  package static func parse(json text: String) throws -> [KubernetesObject] {
    try JSONStream.values(text).flatMap(list)
  }

  /// One text for `kubectl -f -`: an object a line. Not a `List`: kubectl has the server check the fields of single objects,
  /// but lists it checks itself, against a copy of the whole API that it fetches first.
  package static func stream(_ objects: [KubernetesObject]) -> String {
    objects.map { $0.value.json + "\n" }.joined()
  }
}
