/// The pages of `deploy explain`: every key of the cluster file, and the topics.
package enum Manual {
  /// The page of a key such as `nodes.role`, or of a topic; `nil` when there is none.
  package static func page(_ name: String) -> String? {
    if let topic = Topics.all.first(where: { $0.name == name.lowercased() }) {
      return ([topic.name, ""] + topic.paragraphs.flatMap { TextWrap.lines($0, width: 100) + [""] }).dropLast()
        .joined(separator: "\n") + "\n"
    }
    return Schema.key(at: name).map { page($0, path: name) }
  }

  /// What somebody may have meant who asked for a page that does not exist.
  package static func hint(_ name: String) -> String {
    let words = Schema.paths + Topics.all.map(\.name)
    if let near = Spelling.nearest(to: name, of: words) { return "did you mean \(near)?" }
    if let last = name.split(separator: ".").last,
      let same = Schema.paths.first(where: { $0.split(separator: ".").last == last })
    {
      return "did you mean \(same)?"
    }
    return "bashupload deploy explain --list lists all keys and topics"
  }

  /// All keys with the first sentence of their manual, then the topics.
  package static var list: String {
    let paths = Schema.paths
    let width = 42
    func row(_ name: String, _ text: String) -> String {
      let gap = String(repeating: " ", count: max(2, width - name.count))
      return "  \(name)\(gap)\(text.split(separator: ". ").first.map(String.init) ?? text)\n"
    }
    return "Keys:\n" + paths.map { row($0, Schema.key(at: $0)?.manual ?? "") }.joined()
      + "\nTopics:\n" + Topics.all.map { row($0.name, $0.paragraphs.first ?? "") }.joined()
  }

  private static func page(_ key: SchemaKey, path: String) -> String {
    var lines = [path, ""] + TextWrap.lines(key.manual, width: 100) + [""]
    lines += TextWrap.lines("Value: \(key.kind.phrase)", width: 100)
    switch key.presence {
    case .required: lines.append("Required.")
    case .optional(let standard?): lines.append("Default: \(standard)")
    case .optional(nil): lines.append("Optional.")
    }
    if let sample = key.sample {
      lines +=
        sample.contains("\n")
        ? ["Example:"] + sample.split(separator: "\n").map { "  \($0)" } : ["Example: \(key.name): \(sample)"]
    }
    if case .secret = key.kind { return lines.joined(separator: "\n") + "\n" }
    if !key.children.isEmpty {
      lines += ["", "Keys below:"]
      for child in key.children {
        let name = "\(path).\(child.name)"
        lines += TextWrap.lines(child.manual, width: 96).enumerated().map { $0 == 0 ? "  \(name): \($1)" : "    \($1)" }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
