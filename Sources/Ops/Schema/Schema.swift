/// The cluster file: every key, in the order in which `init` writes them.
package enum Schema {
  /// The keys at the top.
  package static let keys: [SchemaKey] =
    [
      SchemaKey(
        "apiVersion", .scalar(.word("bashupload.app/v1")), .required, sample: "bashupload.app/v1",
        "The version of this file's shape."),
      SchemaKey(
        "cluster", .scalar(.name), .required, sample: "my-drop",
        "The name of the installation. It marks every object, record and file that deploy owns; choose it once."),
      SchemaKey(
        "domain", .scalar(.domain), .required, sample: "drop.example.org",
        "The domain of the service. The certificate is for it and for every name below it (*.domain)."),
      SchemaKey(
        "image", .scalar(.image), .required,
        sample: "registry.example.org/bashupload@sha256:" + String(repeating: "0", count: 64),
        "The container image, by digest: a tag can change under a running cluster, a digest cannot."),
    ] + service + [network, certificates] + cluster

  /// The key at a path such as `nodes.role` or `nodes[2].role`.
  package static func key(at path: String) -> SchemaKey? {
    var level = keys
    var found: SchemaKey?
    for part in path.split(separator: ".") {
      let name = part.prefix { $0 != "[" }
      guard let key = level.first(where: { $0.name == name }) else { return nil }
      found = key
      level = key.children
    }
    return found
  }

  /// Every path, parents before children.
  package static var paths: [String] {
    func list(_ keys: [SchemaKey], below path: String) -> [String] {
      keys.flatMap { key -> [String] in
        let child = path.isEmpty ? key.name : "\(path).\(key.name)"
        if case .secret = key.kind { return [child] }
        return [child] + list(key.children, below: child)
      }
    }
    return list(keys, below: "")
  }

  static let longest: Int64 = 10 * 366 * 86_400
}
