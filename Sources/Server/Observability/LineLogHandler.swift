import Glibc
import Logging
import UploadCore

/// Writes each entry as one line of text or JSON.
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
    var line = LogLine(isJSON: isJSON, level: event.level, message: event.message.description)
    for (key, value) in (metadata.isEmpty ? own : metadata.merging(own) { $1 }).sorted(by: { $0.key < $1.key }) {
      line.add(key, Self.text(value))
    }
    line.end()
    LogOutput.write(line, isUrgent: event.level >= .warning)
  }

  private static func text(_ value: Logger.MetadataValue) -> String {
    if case .string(let text) = value { text } else { value.description }
  }
}

extension Timestamp {
  /// The wall clock.
  package static func systemNow() -> Timestamp {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
  }
}
