/// An object that is not as it shall be.
package struct ObjectChange: Hashable, Sendable {
  /// What apply would do.
  package enum Action: String, Sendable {
    case create = "+"
    case update = "~"
    case delete = "-"
  }

  package var action: Action
  package var identity: KubernetesObject.Identity
  package var fields: [FieldChange]
  /// A word more, such as the name that a generated ConfigMap gets.
  package var note: String?

  package init(
    _ action: Action, _ identity: KubernetesObject.Identity, fields: [FieldChange] = [], note: String? = nil
  ) {
    self.action = action
    self.identity = identity
    self.fields = fields
    self.note = note
  }

  /// The lines of a plan.
  package var lines: [String] {
    ["\(action.rawValue) \(identity)\(note.map { " (\($0))" } ?? "")"]
      + fields.map { field in
        switch (field.before, field.after) {
        case (nil, let after?): "    \(field.path): + \(after)"
        case (let before?, nil): "    \(field.path): - \(before)"
        case (let before?, let after?): "    \(field.path): \(before) -> \(after)"
        case (nil, nil): "    \(field.path)"
        }
      }
  }
}
