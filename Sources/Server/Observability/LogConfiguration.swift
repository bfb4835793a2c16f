import Glibc
import Logging

/// How much is logged, and in which form.
package struct LogConfiguration: Sendable {
  package enum Format: String, Sendable {
    case auto, text, json
  }

  package var level = Logger.Level.info
  package var format = Format.auto

  package init() {}

  /// One JSON object per line, for machines; else text for a person.
  var isJSON: Bool {
    switch format {
    case .json: true
    case .text: false
    case .auto: isatty(STDERR_FILENO) == 0
    }
  }

  /// The line of each request, in the same form and place.
  var requests: RequestLog { RequestLog(isEnabled: level <= .info, showsProbes: level <= .debug, isJSON: isJSON) }

  /// A logger that writes to standard error.
  package func logger(_ label: String) -> Logger {
    let isJSON = isJSON
    var logger = Logger(label: label) { _ in LineLogHandler(isJSON: isJSON) }
    logger.logLevel = level
    return logger
  }
}
