/// The commented file of `deploy init`: every key, with the text of `deploy explain` as its comment.
package enum StarterFile {
  /// - Parameter values: replace samples, by path.
  package static func text(_ values: [String: String] = [:]) -> String {
    var writer = Writer(values: values)
    writer.lines = [
      "# One file describes the whole installation. Fill in the values; `bashupload deploy explain KEY` explains each key,",
      "# `bashupload deploy check` reports every mistake with its line, `bashupload deploy plan` shows what would change.",
      "# Lines that begin with #: optional keys. Secrets never stand here, only where they are.",
    ]
    for key in Schema.keys {
      writer.lines.append("")
      writer.key(key, path: key.name, depth: 0, isOff: false)
    }
    return writer.lines.joined(separator: "\n") + "\n"
  }

  private struct Writer {
    let values: [String: String]
    var lines: [String] = []

    /// `isOff`: below an optional section that is written as a comment.
    mutating func key(_ key: SchemaKey, path: String, depth: Int, isOff: Bool) {
      comment(key.manual, depth: depth)
      switch key.kind {
      case .section(let keys):
        section(key, keys, path: path, depth: depth, isOff: isOff)
      case .list(.section(let keys)):
        write("\(key.name):", depth: depth, isOff: isOff)
        for line in (key.sample ?? "").split(separator: "\n") { write(String(line), depth: depth + 1, isOff: isOff) }
        comment("Each has:", depth: depth + 1)
        elements(keys, depth: depth + 1, prefix: "")
      case .scalar, .secret, .alternatives, .wordOr, .list, .map:
        if case .secret = key.kind {} else { elements(key.children, depth: depth, prefix: "") }
        guard let value = values[path] ?? key.sample ?? key.standard else {
          return write("\(key.name):   # \(key.kind.phrase)", depth: depth, isOff: true)
        }
        let isSample = values[path] == nil && key.presence == .optional(nil) && !needed.contains(path)
        write("\(key.name): \(Self.quoted(value))", depth: depth, isOff: isOff || isSample)
      }
    }

    /// Optional by themselves, and needed by the defaults of others.
    private let needed: Set<String> = ["certificates.email", "certificates.dns01"]

    private mutating func section(_ key: SchemaKey, _ keys: [SchemaKey], path: String, depth: Int, isOff: Bool) {
      if keys.first?.name == "enabled", path.hasPrefix("features.") {
        write("\(key.name): { enabled: false }", depth: depth, isOff: isOff)
        return elements(Array(keys.dropFirst()), depth: depth, prefix: "")
      }
      let isOff = isOff || (key.presence != .required && keys.contains { $0.presence == .required })
      write("\(key.name):", depth: depth, isOff: isOff)
      for child in keys { self.key(child, path: "\(path).\(child.name)", depth: depth + 1, isOff: isOff) }
    }

    /// Keys that have no place of their own here: one comment each.
    private mutating func elements(_ keys: [SchemaKey], depth: Int, prefix: String) {
      for key in keys {
        var note = key.presence == .required ? " (required)" : ""
        if let standard = key.standard { note = " (\(standard))" }
        comment("  \(prefix)\(key.name)\(note): \(key.manual)", depth: depth)
        if case .secret = key.kind { continue }
        elements(key.children, depth: depth, prefix: "\(prefix)\(key.name).")
      }
    }

    private mutating func write(_ text: String, depth: Int, isOff: Bool) {
      lines.append(String(repeating: "  ", count: depth) + (isOff ? "# " : "") + text)
    }

    private mutating func comment(_ text: String, depth: Int) {
      let indent = String(repeating: "  ", count: depth) + "# "
      let hanging = text.prefix { $0 == " " }
      for line in TextWrap.lines(String(text.dropFirst(hanging.count)), width: 110 - indent.count - hanging.count) {
        lines.append(indent + hanging + line)
      }
    }

    private static func quoted(_ value: String) -> String {
      value.hasPrefix("*") || value.contains(": ") && !value.hasPrefix("{") ? "\"\(value)\"" : value
    }
  }
}
