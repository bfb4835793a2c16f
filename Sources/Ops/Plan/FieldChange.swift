/// A field that is not as it shall be.
package struct FieldChange: Hashable, Sendable {
  /// Such as `spec.template.spec.containers[nginx].image`.
  package var path: String
  /// Short, for one line; `nil`: it is not there.
  package var before: String?
  package var after: String?

  package init(path: String, before: String?, after: String?) {
    self.path = path
    self.before = before
    self.after = after
  }

  /// What differs between two versions of an object, in the order of the paths.
  package static func between(_ before: JSONValue, _ after: JSONValue) -> [FieldChange] {
    var changes: [FieldChange] = []
    compare(before, after, path: "", &changes)
    return changes.sorted { $0.path < $1.path }
  }

  private static func compare(_ before: JSONValue?, _ after: JSONValue?, path: String, _ changes: inout [FieldChange]) {
    if before == after { return }
    switch (before, after) {
    case (.object(let old)?, .object(let new)?):
      for key in Set(old.keys).union(new.keys) {
        compare(old[key], new[key], path: path.isEmpty ? key : "\(path).\(key)", &changes)
      }
    case (.array(let old)?, .array(let new)?):
      compareLists(old, new, path: path, &changes)
    default:
      changes.append(FieldChange(path: path, before: before?.summary, after: after?.summary))
    }
  }

  /// Elements with names are compared by name: one more container does not change all behind it.
  private static func compareLists(
    _ old: [JSONValue], _ new: [JSONValue], path: String, _ changes: inout [FieldChange]
  ) {
    let oldNames = old.compactMap { $0["name"]?.string }
    let newNames = new.compactMap { $0["name"]?.string }
    if oldNames.count == old.count, newNames.count == new.count, Set(oldNames).count == old.count,
      Set(newNames).count == new.count
    {
      for name in Set(oldNames + newNames) {
        let element = { (list: [JSONValue]) in list.first { $0["name"]?.string == name } }
        compare(element(old), element(new), path: "\(path)[\(name)]", &changes)
      }
      if oldNames != newNames, Set(oldNames) == Set(newNames) {
        changes.append(FieldChange(path: path, before: "another order", after: newNames.joined(separator: ", ")))
      }
      return
    }
    for index in 0..<max(old.count, new.count) {
      compare(
        old.indices.contains(index) ? old[index] : nil, new.indices.contains(index) ? new[index] : nil,
        path: "\(path)[\(index)]", &changes)
    }
  }
}
