/// Everything of the outside world that the verbs use.
package struct DeployContext: Sendable {
  /// Standard output, a line.
  package var say: @Sendable (String) -> Void
  /// Standard error, a line.
  package var complain: @Sendable (String) -> Void
  /// Asks a person; `nil` when there is none.
  package var ask: @Sendable (String) -> String?
  /// Whether lines may be written over.
  package var isTerminal: Bool
  package var variables: [String: String]
  package var runner: any CommandRunner
  /// Seconds of a clock that never goes back.
  package var uptime: @Sendable () -> Int
  /// Seconds since 1970.
  package var now: @Sendable () -> Int
  /// Seconds.
  package var sleep: @Sendable (Int) async throws -> Void
  /// Who runs deploy, for the lock and the history.
  package var operatorName: String

  package init(
    say: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void,
    ask: @escaping @Sendable (String) -> String?, isTerminal: Bool, variables: [String: String],
    runner: any CommandRunner, uptime: @escaping @Sendable () -> Int, now: @escaping @Sendable () -> Int,
    sleep: @escaping @Sendable (Int) async throws -> Void, operatorName: String
  ) {
    self.say = say
    self.complain = complain
    self.ask = ask
    self.isTerminal = isTerminal
    self.variables = variables
    self.runner = runner
    self.uptime = uptime
    self.now = now
    self.sleep = sleep
    self.operatorName = operatorName
  }
}
