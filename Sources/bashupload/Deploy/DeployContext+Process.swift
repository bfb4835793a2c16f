import Glibc
import Ops
import Synchronization

extension DeployContext {
  /// This process: its streams, its environment, its clocks, and programs on this machine.
  static var process: DeployContext {
    DeployContext(
      say: { text in
        print(text)
        fflush(nil)
      },
      complain: { CommandFailure.complain($0) },
      ask: { question in
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        print(question, terminator: " ")
        fflush(nil)
        Interruption.isAsking.store(true, ordering: .relaxed)
        defer { Interruption.isAsking.store(false, ordering: .relaxed) }
        return readLine()
      },
      isTerminal: isatty(STDOUT_FILENO) == 1,
      variables: variables,
      runner: LocalCommandRunner(),
      uptime: { seconds(CLOCK_MONOTONIC) },
      now: { seconds(CLOCK_REALTIME) },
      sleep: { try await Task.sleep(for: .seconds($0)) },
      operatorName: "\(variables["USER"] ?? "somebody")@\(hostName)")
  }

  private static var variables: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }

  private static func seconds(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "somewhere" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
