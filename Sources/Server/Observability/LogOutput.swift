import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Standard error, in whole lines, from a thread of its own.
///
/// Who reads our standard error may stand still (a full pipe, a terminal on hold, a dead log collector); then write(2) waits
/// for as long as that takes. So no event loop writes: lines go into a queue that is bounded, and what finds no place in it is
/// dropped and counted.
///
/// Lines of an event loop wait until the end of its turn and go into the queue together: waking the thread for each would be a
/// good part of what a small request costs. What one write(2) takes at most a pipe takes in one piece (pipe(7), PIPE_BUF), so
/// lines of several processes never mix.
enum LogOutput {
  private static let largestWrite = 4096
  private static let waiting = ThreadSpecificVariable<Lines>()
  private static let queue: LogQueue = {
    // What is logged last goes out before the process ends, however it does; a reader that stands still holds up no end.
    atexit { LogOutput.flush(milliseconds: 500) }
    return LogQueue(descriptor: STDERR_FILENO)
  }()

  /// Lines that were dropped because nobody read them, since the start.
  static var dropped: Int { queue.dropped }

  /// The lines of one event loop that have not gone out yet.
  ///
  /// Unchecked: only the thread of the loop ever has it. It is kept in a variable of that thread, and what the loop is
  /// given to execute runs there.
  private final class Lines: @unchecked Sendable {
    var bytes: [UInt8] = []
    var count = 0

    func flush() {
      guard !bytes.isEmpty else { return }
      LogOutput.queue.add(bytes, lines: count)
      bytes.removeAll(keepingCapacity: true)
      count = 0
    }
  }

  /// - Parameter isUrgent: it goes on its way at once, and so do those that wait: it may be the last.
  static func write(_ line: LogLine, isUrgent: Bool) {
    guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else {
      return queue.add(line.bytes, lines: 1)
    }
    let lines = waiting.currentValue ?? Lines()
    if lines.bytes.count + line.bytes.count > largestWrite { lines.flush() }
    let isFirst = lines.bytes.isEmpty
    lines.bytes += line.bytes
    lines.count += 1
    if isUrgent { return lines.flush() }
    guard isFirst else { return }
    waiting.currentValue = lines
    loop.execute { lines.flush() }
  }

  /// Waits until what was logged is out, but not for longer than this. For the end of the process.
  static func flush(milliseconds: Int) {
    queue.flush(milliseconds: milliseconds)
  }
}

/// Bytes on their way to a descriptor that may take none for long.
final class LogQueue: Sendable {
  /// Bytes that wait at most: some thousand lines.
  static let capacity = 1 << 20

  private struct State {
    var batches: [[UInt8]] = []
    var bytes = 0
    var isDraining = false
    var dropped = 0
    /// Of these, what the log itself has been told of.
    var reported = 0
  }

  private let state = Mutex(State())
  private let descriptor: CInt
  private let capacity: Int
  /// One thread, so that lines stay in order. It is never stopped.
  private let thread = NIOThreadPool(numberOfThreads: 1)

  init(descriptor: CInt, capacity: Int = LogQueue.capacity) {
    self.descriptor = descriptor
    self.capacity = capacity
    thread.start()
  }

  var dropped: Int { state.withLock { $0.dropped } }

  /// Never waits.
  func add(_ bytes: [UInt8], lines: Int) {
    let begins = state.withLock { state in
      guard state.bytes + bytes.count <= capacity else {
        state.dropped += lines
        return false
      }
      state.batches.append(bytes)
      state.bytes += bytes.count
      defer { state.isDraining = true }
      return !state.isDraining
    }
    if begins { thread.submit { _ in self.drain() } }
  }

  /// Waits until the queue is empty, but not for longer than this.
  func flush(milliseconds: Int) {
    for _ in 0..<max(1, milliseconds) {
      if state.withLock({ !$0.isDraining }) { return }
      usleep(1000)
    }
  }

  private func drain() {
    while let (bytes, missing) = next() {
      writeAll(bytes)
      if missing > 0 {
        var line = LogLine(
          isJSON: bytes.first == UInt8(ascii: "{"), level: .warning,
          message: "lines of the log were dropped: standard error was not read in time")
        line.add("lines", String(missing))
        line.end()
        writeAll(line.bytes)
      }
    }
  }

  /// The oldest batch, and how many lines were dropped that the log does not know of. What is being written counts until it is
  /// out.
  private func next() -> (bytes: [UInt8], missing: Int)? {
    state.withLock { state in
      guard !state.batches.isEmpty else {
        state.isDraining = false
        return nil
      }
      let batch = state.batches.removeFirst()
      state.bytes -= batch.count
      // Told when the reader has come back: behind the last line before the gap.
      let missing = state.batches.isEmpty ? state.dropped - state.reported : 0
      if missing > 0 { state.reported = state.dropped }
      return (batch, missing)
    }
  }

  private func writeAll(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { Glibc.write(descriptor, $0 + written, buffer.count - written) } ?? 0
      }
      if count > 0 {
        written += count
      } else if errno == EAGAIN {
        // Somebody has made it non-blocking: they share it with us.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&ready, 1, -1)
      } else if errno != EINTR {
        // A log that cannot be written must not stop the service.
        return
      }
    }
  }
}
