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
    let time = Timestamp.systemNow()
    var line = ""
    line.reserveCapacity(320)
    if isJSON {
      line += "{\"time\":\""
      line += time.rfc3339Milliseconds
      line += "\",\"level\":\""
      line += event.level.rawValue
      line += "\",\"message\":"
      Self.appendJSON(event.message.description, to: &line)
      for (key, value) in fields {
        line += ","
        Self.appendJSON(key, to: &line)
        line += ":"
        Self.appendJSON(Self.text(value), to: &line)
      }
      line += "}\n"
    } else {
      line += "\(time.rfc3339Milliseconds) \(event.level) \(Self.oneLine(event.message.description))"
      for (key, value) in fields { line += " \(key)=\(Self.oneLine(Self.text(value)))" }
      line += "\n"
    }
    line.withUTF8 { bytes in
      // A log that cannot be written must not stop the service.
      _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }

  private static func text(_ value: Logger.MetadataValue) -> String {
    if case .string(let text) = value { text } else { value.description }
  }

  /// A JSON string (RFC 8259, 7).
  static func appendJSON(_ text: String, to line: inout String) {
    line += "\""
    if text.utf8.allSatisfy({ $0 >= 32 && $0 != 34 && $0 != 92 }) {
      line += text
    } else {
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": line += "\\\""
        case "\\": line += "\\\\"
        case "\n": line += "\\n"
        case _ where scalar.value < 32:
          line += "\\u00" + Hex.encode([UInt8(scalar.value)])
        default: line.unicodeScalars.append(scalar)
        }
      }
    }
    line += "\""
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
    let fraction = String(milliseconds - seconds * 1000 + 1000).dropFirst()
    return "\(rfc3339.dropLast()).\(fraction)Z"
  }
}
