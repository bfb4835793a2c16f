/// Shows every command before it is run (`--print-commands`), as it would be typed. What comes by standard input is not shown.
package struct PrintingCommandRunner: CommandRunner {
  private let runner: any CommandRunner
  private let show: @Sendable (String) -> Void

  package init(_ runner: any CommandRunner, show: @escaping @Sendable (String) -> Void) {
    self.runner = runner
    self.show = show
  }

  package func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    show("$ \(invocation.line)\(invocation.input.map { $0.isEmpty ? "" : " <(\($0.utf8.count) bytes)" } ?? "")")
    return try await runner.run(invocation)
  }
}
