import Glibc

/// A line on standard error that tells a person how far something has come, and is gone when it is done. Nothing where nobody
/// looks: a CronJob's log gets none.
enum ProgressLine {
  private static let interval = Duration.milliseconds(200)

  static func shown<T: Sendable>(
    _ line: @escaping @Sendable () -> String, while body: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    guard isatty(STDERR_FILENO) != 0 else { return try await body() }
    defer { show("") }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          show(line())
          try await Task.sleep(for: interval)
        }
      }
      defer { group.cancelAll() }
      return try await body()
    }
  }

  /// Back to the beginning of the line, and nothing behind what is written.
  private static func show(_ line: String) {
    var text = "\r\(line)\u{1B}[K"
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
