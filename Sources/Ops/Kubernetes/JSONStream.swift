/// Several JSON objects one after another, as `kubectl apply -o json` prints them in some cases.
enum JSONStream {
  static func values(_ text: String) throws -> [JSONValue] {
    var values: [JSONValue] = []
    var depth = 0
    var isText = false
    var isEscaped = false
    var start: String.UTF8View.Index?
    let bytes = text.utf8
    for index in bytes.indices {
      let byte = bytes[index]
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == 0x5C {
          isEscaped = true
        } else if byte == 0x22 {
          isText = false
        }
        continue
      }
      switch byte {
      case 0x22: isText = true
      case 0x7B, 0x5B:
        if depth == 0 { start = index }
        depth += 1
      case 0x7D, 0x5D:
        depth -= 1
        if depth == 0, let first = start {
          values.append(try JSONValue(parsing: String(text[first...index])))
          start = nil
        }
      default: break
      }
    }
    return values
  }
}
