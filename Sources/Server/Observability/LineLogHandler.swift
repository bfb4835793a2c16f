import Glibc
import Logging
import UploadCore

/// Writes each entry as one line with one write(2), so that lines of several threads never mix.
struct LineLogHandler: LogHandler {
  let isJSON: Bool
  var logLevel = Logger.Level.info
  var metadata = Logger.Metadata()

  init(isJSON: Bool) {
    self.isJSON = isJSON
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let own = event.metadata ?? [:]
    let fields = (metadata.isEmpty ? own : metadata.merging(own) { $1 }).sorted { $0.key < $1.key }
    let time = Timestamp.systemNow().rfc3339Milliseconds
    var line: [UInt8] = []
    line.reserveCapacity(320)
    if isJSON {
      line += "{\"time\":\"".utf8
      line += time.utf8
      line += "\",\"level\":\"".utf8
      line += event.level.rawValue.utf8
      line += "\",\"message\":".utf8
      Self.appendJSON(event.message.description, to: &line)
      for (key, value) in fields {
        line.append(UInt8(ascii: ","))
        Self.appendJSON(key, to: &line)
        line.append(UInt8(ascii: ":"))
        Self.appendJSON(Self.text(value), to: &line)
      }
      line += "}\n".utf8
    } else {
      line += "\(time) \(event.level) \(Self.oneLine(event.message.description))".utf8
      for (key, value) in fields { line += " \(key)=\(Self.oneLine(Self.text(value)))".utf8 }
      line.append(UInt8(ascii: "\n"))
    }
    // A log that cannot be written must not stop the service.
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func text(_ value: Logger.MetadataValue) -> String {
    if case .string(let text) = value { text } else { value.description }
  }

  /// A JSON string (RFC 8259, 7).
  static func appendJSON(_ text: String, to line: inout [UInt8]) {
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
  static func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 32 || (127...159).contains($0.value) }) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || (127...159).contains($0.value) ? "?" : $0 }))
  }
}

extension Timestamp {
  /// The wall clock.
  package static func systemNow() -> Timestamp {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
  }

  /// `2026-11-22T15:04:05.123Z`.
  var rfc3339Milliseconds: String {
    let fraction = milliseconds - seconds * 1000
    var text = Array(rfc3339.utf8.dropLast())
    text.append(UInt8(ascii: "."))
    var divisor: Int64 = 100
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(fraction / divisor % 10))
      divisor /= 10
    }
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }
}
