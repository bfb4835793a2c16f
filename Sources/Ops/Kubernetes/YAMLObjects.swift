import Yams

/// What `kubectl kustomize` prints.
package enum YAMLObjects {
  package static func parse(_ text: String) throws -> [KubernetesObject] {
    var documents = try Yams.compose_all(yaml: text)
    var objects: [KubernetesObject] = []
    while let node = documents.next() {
      let value = value(node)
      if value != .null { objects += KubernetesObject.list(value) }
    }
    if let error = documents.error { throw error }
    return objects
  }

  private static func value(_ node: Node) -> JSONValue {
    switch node {
    case .mapping(let mapping):
      return .object(
        Dictionary(mapping.map { ($0.key.scalar?.string ?? "", value($0.value)) }) { $1 })
    case .sequence(let sequence): return .array(sequence.map(value))
    case .alias: return .null
    case .scalar(let scalar):
      guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
      switch node.tag.description {
      case Tag.Name.null.rawValue: return .null
      case Tag.Name.bool.rawValue: return node.bool.map { .bool($0) } ?? .string(scalar.string)
      case Tag.Name.int.rawValue: return node.int.map { .integer(Int64($0)) } ?? .string(scalar.string)
      case Tag.Name.float.rawValue: return node.float.map { .number($0) } ?? .string(scalar.string)
      default: return .string(scalar.string)
      }
    }
  }
}
