import Glibc
import NIOCore
import NIOPosix

/// Standard error, in whole lines.
///
/// Lines of an event loop wait until the end of its turn and go out together: a system call for each would be a good part
/// of what a small request costs. What one write(2) takes at most a pipe takes in one piece (pipe(7), PIPE_BUF), so lines
/// of several threads never mix.
enum LogOutput {
  private static let largestWrite = 4096
  private static let waiting = ThreadSpecificVariable<Lines>()

  /// The lines of one event loop that have not gone out yet.
  ///
  /// Unchecked: only the thread of the loop ever has it. It is kept in a variable of that thread, and what the loop is
  /// given to execute runs there.
  private final class Lines: @unchecked Sendable {
    var bytes: [UInt8] = []

    func flush() {
      guard !bytes.isEmpty else { return }
      LogOutput.writeOut(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
  }

  /// - Parameter isUrgent: it goes out before this returns, and so do those that wait: it may be the last.
  static func write(_ line: LogLine, isUrgent: Bool) {
    guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else { return writeOut(line.bytes) }
    let lines = waiting.currentValue ?? Lines()
    if lines.bytes.count + line.bytes.count > largestWrite { lines.flush() }
    let isFirst = lines.bytes.isEmpty
    lines.bytes += line.bytes
    if isUrgent { return lines.flush() }
    guard isFirst else { return }
    waiting.currentValue = lines
    loop.execute { lines.flush() }
  }

  private static func writeOut(_ bytes: [UInt8]) {
    // A log that cannot be written must not stop the service.
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
