/// Runs programs: on this machine, over ssh, or in a test not at all.
package protocol CommandRunner: Sendable {
  /// Runs to the end. An exit status other than 0 is a result, not an error.
  func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult
}

/// What a program said.
package struct CommandResult: Hashable, Sendable {
  package var status: Int32
  package var output: String
  package var complaint: String

  package init(status: Int32, output: String, complaint: String = "") {
    self.status = status
    self.output = output
    self.complaint = complaint
  }
}

/// A program that could not be run, or not to its end.
package enum CommandError: Error, CustomStringConvertible {
  case notFound(String)
  case deadline(String, seconds: Int)
  case failed(String, reason: String)

  package var description: String {
    switch self {
    case .notFound(let program): "\(program) is not installed, or not in PATH"
    case .deadline(let line, let seconds): "\(line): no answer within \(seconds) s"
    case .failed(let line, let reason): "\(line): \(reason)"
    }
  }
}
