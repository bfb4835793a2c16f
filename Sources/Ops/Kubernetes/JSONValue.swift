/// A value of an object of Kubernetes, whatever its kind: a typed mirror of that API would be a second schema to chase.
package enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The value below a key; `nil` for anything that is no object.
  package subscript(key: String) -> JSONValue? {
    get {
      if case .object(let members) = self { return members[key] }
      return nil
    }
    set {
      guard case .object(var members) = self else { return }
      members[key] = newValue
      self = .object(members)
    }
  }

  /// The value at a path of keys.
  package func at(_ path: String...) -> JSONValue? {
    path.reduce(self) { value, key in value?[key] }
  }

  package var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  package var integer: Int? {
    if case .integer(let number) = self { return Int(number) }
    return nil
  }

  package var bool: Bool? {
    if case .bool(let flag) = self { return flag }
    return nil
  }

  package var array: [JSONValue] {
    if case .array(let values) = self { return values }
    return []
  }

  package var members: [String: JSONValue] {
    if case .object(let members) = self { return members }
    return [:]
  }

  /// Short, for one line of a plan.
  package var summary: String {
    switch self {
    case .null: return "nothing"
    case .bool(let flag): return String(flag)
    case .integer(let number): return String(number)
    case .number(let number): return String(number)
    case .string(let text):
      let line = text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
      let isCut = line.count > 60 || line.count < text.count
      return isCut ? "\(line.prefix(60))…" : line
    case .array(let values): return "[\(values.count) elements]"
    case .object(let members): return "{\(members.keys.sorted().prefix(4).joined(separator: ", "))}"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { $1 })
  }
}
