/// A header value with parameters: `value; name=token; name="quoted string"`.
package struct HeaderParameters {
  /// Lower case.
  package var value: String
  /// Lower-case names; of a repeated name the last.
  package var parameters: [String: String] = [:]
  /// No name came twice and every quote was closed. What is not well formed reads differently elsewhere.
  package private(set) var isWellFormed = true

  package init(_ text: String) {
    var rest = Substring(text)
    value = rest.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    rest = rest.drop { $0 != ";" }
    while rest.first == ";" {
      rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
      let name = rest.prefix { $0 != "=" && $0 != ";" }
      rest = rest.dropFirst(name.count)
      guard rest.first == "=" else { continue }
      rest = rest.dropFirst()
      let content = rest.first == "\"" ? Self.quoted(&rest) : Self.token(&rest)
      if parameters.updateValue(content ?? "", forKey: name.lowercased()) != nil || content == nil {
        isWellFormed = false
      }
      rest = rest.drop { $0 != ";" }
    }
  }

  private static func token(_ rest: inout Substring) -> String? {
    let token = rest.prefix { $0 != ";" }
    rest = rest.dropFirst(token.count)
    return String(token.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }

  /// Browsers write `%22` for a quote in a file name (WHATWG) and leave backslashes alone; curl escapes both with a
  /// backslash. So a backslash is an escape only before a quote or another backslash.
  ///
  /// - Returns: nil when the quote is not closed.
  private static func quoted(_ rest: inout Substring) -> String? {
    rest = rest.dropFirst()
    var content = ""
    while let character = rest.popFirst() {
      if character == "\"" { return content }
      if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
        content.append(next)
        rest = rest.dropFirst()
      } else {
        content.append(character)
      }
    }
    return nil
  }
}
