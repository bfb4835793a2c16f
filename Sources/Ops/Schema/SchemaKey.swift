/// One key of the cluster file. The same declaration validates it, explains it and writes its comment in the file of
/// `deploy init`.
package struct SchemaKey: Sendable {
  /// Whether the key has to be there.
  package enum Presence: Hashable, Sendable {
    case required
    /// What is used without it, as it would be written; `nil`: nothing.
    case optional(String?)
  }

  package var name: String
  package var kind: ValueKind
  package var presence: Presence
  /// What it means, in one to four sentences.
  package var manual: String
  /// What `init` writes; `nil`: the default. A sample of an optional key is written as a comment.
  package var sample: String?

  init(
    _ name: String, _ kind: ValueKind, _ presence: Presence, sample: String? = nil, _ manual: String
  ) {
    self.name = name
    self.kind = kind
    self.presence = presence
    self.sample = sample
    self.manual = manual
  }

  /// The keys below this one, of a section, of alternatives, or of the sections of a list.
  package var children: [SchemaKey] { kind.children }

  /// The default as it would be written.
  package var standard: String? {
    if case .optional(let text) = presence { return text }
    return nil
  }
}

/// What a key's value looks like.
package indirect enum ValueKind: Sendable {
  case section([SchemaKey])
  /// A section with exactly one of these keys.
  case alternatives([SchemaKey])
  case list(ValueKind)
  /// A section whose keys are free.
  case map(keys: ScalarForm, values: ScalarForm)
  case scalar(ScalarForm)
  /// `{ fromEnv: NAME }`, `{ fromFile: path }` or `{ fromSecret: name/key }`.
  case secret
  /// A word, or a section with exactly one of these keys.
  case wordOr(ScalarForm, [SchemaKey])

  var children: [SchemaKey] {
    switch self {
    case .section(let keys), .alternatives(let keys), .wordOr(_, let keys): keys
    case .list(let kind): kind.children
    case .secret: Self.secretKeys
    case .map, .scalar: []
    }
  }

  /// For `explain` and messages.
  package var phrase: String {
    switch self {
    case .section: "a section"
    case .alternatives(let keys): "a section with exactly one of \(keys.map(\.name).joined(separator: ", "))"
    case .list(let kind): "a list; each: \(kind.phrase)"
    case .map(let keys, let values): "a section; each key: \(keys.phrase), each value: \(values.phrase)"
    case .scalar(let form): form.phrase
    case .secret: "a reference to a secret: { fromEnv: NAME }, { fromFile: path } or { fromSecret: name/key }"
    case .wordOr(let form, let keys):
      "\(form.phrase), or a section with exactly one of \(keys.map(\.name).joined(separator: ", "))"
    }
  }

  static let secretKeys = [
    SchemaKey("fromEnv", .scalar(.environmentName), .optional(nil), "An environment variable of whoever runs deploy."),
    SchemaKey(
      "fromFile", .scalar(.path), .optional(nil),
      "A file on the machine that runs deploy; white space and line ends around the text are cut off."),
    SchemaKey(
      "fromSecret", .scalar(.secretKey), .optional(nil),
      "A Kubernetes Secret that is already in the namespace bashupload, and its key, as name/key."),
  ]
}
