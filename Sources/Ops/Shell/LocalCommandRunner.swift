import Subprocess
import SystemPackage

/// Runs programs on this machine.
package struct LocalCommandRunner: CommandRunner {
  /// More than this of one stream is an error: a cluster of this size answers with far less.
  private static let outputLimit = 64 << 20

  package init() { _ = UnreadInput.survivesClosedPipes }

  package func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    do {
      return try await withThrowingTaskGroup(of: CommandResult?.self) { group in
        group.addTask { try await Self.execute(invocation) }
        group.addTask {
          try await Task.sleep(for: .seconds(invocation.deadline))
          return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
          throw CommandError.deadline(invocation.line, seconds: invocation.deadline)
        }
        return result
      }
    } catch {
      throw Self.translated(error, invocation)
    }
  }

  private static func translated(_ error: any Error, _ invocation: Invocation) -> CommandError {
    if let error = error as? CommandError { return error }
    if let error = error as? SubprocessError, error.code == .executableNotFound { return .notFound(invocation.program) }
    return .failed(invocation.line, reason: "\(error)")
  }

  private static func execute(_ invocation: Invocation) async throws -> CommandResult {
    var environment: [Environment.Key: String?] = [:]
    for (name, value) in invocation.environment {
      if let key = Environment.Key(rawValue: name) { environment[key] = value }
    }
    let executable: Executable =
      invocation.program.contains("/") ? .path(FilePath(invocation.program)) : .name(invocation.program)
    let result = try await Subprocess.run(
      executable, arguments: Arguments(invocation.arguments),
      environment: .inherit.updating(environment), input: UnreadInput(text: invocation.input ?? ""),
      output: .string(limit: outputLimit), error: .string(limit: outputLimit))
    let status: Int32
    switch result.terminationStatus {
    case .exited(let code): status = code
    case .signaled(let signal): status = 128 + signal
    }
    return CommandResult(status: status, output: result.standardOutput, complaint: result.standardError)
  }
}
