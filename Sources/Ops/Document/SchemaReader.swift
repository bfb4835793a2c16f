/// Walks a document along the schema: what is right becomes `Settings`, what is wrong becomes problems.
struct SchemaReader {
  private(set) var settings = Settings()
  private(set) var problems: [Problem] = []

  mutating func read(_ root: DocumentNode) {
    guard case .mapping(let entries, let position) = root else {
      problems.append(
        Problem(root.position, "", "the file has to be keys and values: bashupload deploy init writes one"))
      return
    }
    section(entries, at: position, keys: Schema.keys, path: "")
  }

  private mutating func section(
    _ entries: [DocumentNode.Entry], at position: Position, keys: [SchemaKey], path: String
  ) {
    settings.positions[path] = position
    let names = keys.map(\.name)
    var present: Set<String> = []
    for entry in entries {
      let child = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      guard let key = keys.first(where: { $0.name == entry.key }) else {
        problems.append(Problem(entry.position, child, unknown(entry.key, among: names, path: path)))
        if let meant = Spelling.nearest(to: entry.key, of: names) { present.insert(meant) }
        continue
      }
      present.insert(key.name)
      settings.positions[child] = entry.position
      if entry.value.isNull {
        if key.presence == .required { problems.append(Problem(entry.position, child, "is empty: \(wanted(key))")) }
        continue
      }
      value(entry.value, key.kind, path: child)
    }
    for key in keys where key.presence == .required && !present.contains(key.name) {
      let child = path.isEmpty ? key.name : "\(path).\(key.name)"
      problems.append(Problem(position, child, "is missing: \(wanted(key))"))
    }
  }

  private func unknown(_ key: String, among names: [String], path: String) -> String {
    if let tip = Tips.tip(for: key) { return tip.refusal(of: nil) }
    if let elsewhere = Schema.paths.first(where: { $0.hasSuffix(".\(key)") || $0 == key }), !names.contains(key),
      Spelling.nearest(to: key, of: names) == nil
    {
      return "is unknown here; \(elsewhere) is known"
    }
    return "is unknown; \(Spelling.hint(key, of: names))"
  }

  private func wanted(_ key: SchemaKey) -> String {
    guard let sample = key.sample, !sample.contains("\n") else { return "write \(key.kind.phrase)" }
    return "write \(key.kind.phrase), such as \(key.name): \(sample)"
  }

  private mutating func value(_ node: DocumentNode, _ kind: ValueKind, path: String) {
    switch (kind, node) {
    case (.section(let keys), .mapping(let entries, let position)):
      section(entries, at: position, keys: keys, path: path)
    case (.alternatives(let keys), .mapping(let entries, let position)):
      alternatives(entries, position, keys, path: path)
    case (.wordOr(_, let keys), .mapping(let entries, let position)):
      alternatives(entries, position, keys, path: path)
    case (.wordOr(let form, _), .scalar(let text, let isPlain, let position)):
      scalar(text, isPlain, position, form, path: path)
    case (.scalar(let form), .scalar(let text, let isPlain, let position)):
      scalar(text, isPlain, position, form, path: path)
    case (.secret, .mapping(let entries, let position)):
      alternatives(entries, position, ValueKind.secretKeys, path: path)
    case (.secret, .scalar(_, _, let position)):
      // The text itself could be the secret: it is not repeated.
      problems.append(
        Problem(
          position, path,
          "secrets never stand in this file: write { fromEnv: NAME }, { fromFile: path } or { fromSecret: name/key }"))
    case (.list(let kind), .list(let nodes, let position)):
      settings.positions[path] = position
      settings.counts[path] = nodes.count
      for (index, element) in nodes.enumerated() {
        settings.positions["\(path)[\(index)]"] = element.position
        value(element, kind, path: "\(path)[\(index)]")
      }
    case (.map(let keys, let values), .mapping(let entries, _)):
      map(entries, keys, values, path: path)
    default:
      problems.append(Problem(node.position, path, "is \(node.noun): write \(kind.phrase)"))
    }
  }

  private mutating func alternatives(
    _ entries: [DocumentNode.Entry], _ position: Position, _ keys: [SchemaKey], path: String
  ) {
    section(entries, at: position, keys: keys, path: path)
    let known = entries.filter { entry in keys.contains { $0.name == entry.key } && !entry.value.isNull }
    if known.count != 1, entries.count == known.count {
      let names = keys.map(\.name).joined(separator: ", ")
      problems.append(
        Problem(position, path, known.isEmpty ? "needs one of \(names)" : "has \(known.count) of \(names): keep one"))
    }
  }

  private mutating func map(
    _ entries: [DocumentNode.Entry], _ keys: ScalarForm, _ values: ScalarForm, path: String
  ) {
    settings.keys[path] = entries.map(\.key)
    for entry in entries {
      let child = "\(path)[\(entry.key)]"
      settings.positions[child] = entry.position
      if let complaint = keys.complaint(entry.key) { problems.append(Problem(entry.position, path, complaint)) }
      guard case .scalar(let text, let isPlain, let position) = entry.value else {
        problems.append(Problem(entry.value.position, child, "is \(entry.value.noun): write \(values.phrase)"))
        continue
      }
      scalar(text, isPlain, position, values, path: child)
    }
  }

  private mutating func scalar(
    _ text: String, _ isPlain: Bool, _ position: Position, _ form: ScalarForm, path: String
  ) {
    settings.positions[path] = position
    if let complaint = form.complaint(text) {
      problems.append(Problem(position, path, complaint))
    } else if form.isBare, !isPlain {
      problems.append(Problem(position, path, "is a text: write \(text) without quotes"))
    } else {
      settings.texts[path] = text
    }
  }
}
