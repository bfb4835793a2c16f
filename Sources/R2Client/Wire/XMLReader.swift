/// Reads the XML of S3's answers, and nothing more of XML than occurs there: elements, text, character references, the
/// five named entities, comments and declarations to skip. A document type is an error, so no entity can expand into anything.
package struct XMLReader {
  package struct Malformed: Error {}
  private static let maximumDepth = 16

  private var rest: ArraySlice<UInt8>

  /// The root element of a document.
  package static func read(_ bytes: some Sequence<UInt8>) throws -> XMLNode {
    var reader = XMLReader(rest: Array(bytes)[...])
    try reader.skipMisc()
    let root = try reader.element(depth: 0)
    try reader.skipMisc()
    guard reader.rest.isEmpty else { throw Malformed() }
    return root
  }

  private mutating func element(depth: Int) throws -> XMLNode {
    guard depth < Self.maximumDepth, take("<") else { throw Malformed() }
    let name = try text(until: { $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "/") || Self.isSpace($0) })
    guard let first = name.utf8.first, Self.isNameStart(first) else { throw Malformed() }
    var node = XMLNode(Self.local(name))
    if try endOfTag() { return node }
    while true {
      node.text += try Self.unescaped(text(until: { $0 == UInt8(ascii: "<") }))
      if take("</") {
        let end = try text(until: { $0 == UInt8(ascii: ">") })
        guard Self.local(end.trimmingSuffix()) == node.name, take(">") else { throw Malformed() }
        return node
      }
      if try skipComment() { continue }
      node.children.append(try element(depth: depth + 1))
    }
  }

  /// Skips attributes; true when the element ends at once.
  private mutating func endOfTag() throws -> Bool {
    while let byte = rest.first {
      if take("/>") { return true }
      if take(">") { return false }
      rest.removeFirst()
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        _ = try text(until: { $0 == byte })
        rest.removeFirst()
      }
    }
    throw Malformed()
  }

  private mutating func skipMisc() throws {
    while true {
      rest = rest.drop(while: Self.isSpace)
      if take("<?") {
        try skip(past: "?>")
      } else if try !skipComment() {
        return
      }
    }
  }

  private mutating func skipComment() throws -> Bool {
    guard take("<!--") else { return false }
    try skip(past: "-->")
    return true
  }

  private mutating func skip(past mark: String) throws {
    while !take(mark) {
      guard rest.popFirst() != nil else { throw Malformed() }
    }
  }

  private mutating func take(_ mark: String) -> Bool {
    guard rest.starts(with: mark.utf8) else { return false }
    rest.removeFirst(mark.utf8.count)
    return true
  }

  /// Up to a byte for which `isEnd` holds, and which must come.
  private mutating func text(until isEnd: (UInt8) -> Bool) throws -> String {
    guard let end = rest.firstIndex(where: isEnd), let text = String(validating: rest[..<end], as: UTF8.self) else {
      throw Malformed()
    }
    rest = rest[end...]
    return text
  }

  private static func unescaped(_ text: String) throws -> String {
    guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
    var result = ""
    var rest = text[...]
    while let mark = rest.firstIndex(of: "&") {
      result += rest[..<mark]
      guard let end = rest[mark...].firstIndex(of: ";") else { throw Malformed() }
      result.unicodeScalars.append(try scalar(rest[mark..<end].dropFirst()))
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private static func scalar(_ reference: Substring) throws -> Unicode.Scalar {
    let named: [Substring: Unicode.Scalar] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
    if let scalar = named[reference] { return scalar }
    let number =
      reference.hasPrefix("#x")
      ? UInt32(reference.dropFirst(2), radix: 16)
      : reference.hasPrefix("#") ? UInt32(reference.dropFirst()) : nil
    guard let number, let scalar = Unicode.Scalar(number) else { throw Malformed() }
    return scalar
  }

  private static func local(_ name: String) -> String {
    name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (9...13).contains(byte)
  }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    byte >= 128 || byte == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
}

extension String {
  fileprivate func trimmingSuffix() -> String {
    String(reversed().drop { $0.isWhitespace }.reversed())
  }
}
