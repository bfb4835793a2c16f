/// An element of the small XML that S3 answers: names without their prefixes, text and children, no attributes.
package struct XMLNode: Sendable, Hashable {
  package var name: String
  /// All text directly in this element.
  package var text = ""
  package var children: [XMLNode] = []

  package init(_ name: String, _ text: String = "", children: [XMLNode] = []) {
    self.name = name
    self.text = text
    self.children = children
  }

  /// The first child of that name.
  package subscript(_ name: String) -> XMLNode? {
    children.first { $0.name == name }
  }

  package func all(_ name: String) -> [XMLNode] {
    children.filter { $0.name == name }
  }

  /// As a document without declaration. Control characters that XML 1.0 cannot hold are not looked for: S3 keys that have
  /// them cannot be named in XML at all, and the store refuses the document.
  package var document: String {
    "<\(name)>\(Self.escaped(text))\(children.map(\.document).joined())</\(name)>"
  }

  package static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\r", "\n", "\t": result += "&#\(scalar.value);"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
