import Logging
import UploadCore

/// One line of the log while it is written: time, level, message, then the fields in the order of their names.
struct LogLine {
  private let isJSON: Bool
  private(set) var bytes: [UInt8] = []

  init(isJSON: Bool, level: Logger.Level, message: String, at time: Timestamp = .systemNow()) {
    self.isJSON = isJSON
    bytes.reserveCapacity(320)
    if isJSON {
      bytes += "{\"time\":\"".utf8
      time.appendRFC3339Milliseconds(to: &bytes)
      bytes += "\",\"level\":\"".utf8
      bytes += level.rawValue.utf8
      bytes += "\",\"message\":".utf8
      Self.appendJSON(message, to: &bytes)
    } else {
      time.appendRFC3339Milliseconds(to: &bytes)
      bytes.append(UInt8(ascii: " "))
      bytes += level.rawValue.utf8
      bytes.append(UInt8(ascii: " "))
      bytes += Self.oneLine(message).utf8
    }
  }

  mutating func add(_ name: String, _ value: String) {
    if isJSON {
      bytes.append(UInt8(ascii: ","))
      Self.appendJSON(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      Self.appendJSON(value, to: &bytes)
    } else {
      bytes.append(UInt8(ascii: " "))
      bytes += name.utf8
      bytes.append(UInt8(ascii: "="))
      bytes += Self.oneLine(value).utf8
    }
  }

  mutating func end() {
    if isJSON { bytes.append(UInt8(ascii: "}")) }
    bytes.append(UInt8(ascii: "\n"))
  }

  /// A JSON string (RFC 8259, 7).
  private static func appendJSON(_ text: String, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    defer { line.append(UInt8(ascii: "\"")) }
    if text.utf8.allSatisfy({ $0 >= 32 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      line += text.utf8
      return
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): line += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): line += "\\n".utf8
      case 0..<32: line += "\\u00\(Hex.encode([byte]))".utf8
      default: line.append(byte)
      }
    }
  }

  /// Nothing that a client sends can begin a new line or move the cursor of a terminal.
  private static func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 32 || (127...159).contains($0.value) }) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || (127...159).contains($0.value) ? "?" : $0 }))
  }
}

extension Timestamp {
  /// `2026-11-22T15:04:05.123Z`.
  fileprivate func appendRFC3339Milliseconds(to text: inout [UInt8]) {
    text += rfc3339.utf8
    text.removeLast()
    text.append(UInt8(ascii: "."))
    let fraction = milliseconds - seconds * 1000
    var divisor: Int64 = 100
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(fraction / divisor % 10))
      divisor /= 10
    }
    text.append(UInt8(ascii: "Z"))
  }
}
