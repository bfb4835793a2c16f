import Synchronization

/// kubectl with the kubeconfig that apply keeps. It names one control node; while that one cannot be reached, the others are asked.
final class ControlPlaneCommandRunner: CommandRunner {
  private let runner: any CommandRunner
  private let kubeconfig: String
  private let servers: [String]
  /// Who has answered last; `nil`: whoever the kubeconfig names.
  private let answering = Mutex<String?>(nil)

  /// - Parameter servers: URLs of the control nodes.
  init(_ runner: any CommandRunner, kubeconfig: String, servers: [String]) {
    self.runner = runner
    self.kubeconfig = kubeconfig
    self.servers = servers
  }

  func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    if invocation.program != "kubectl" { return try await runner.run(invocation) }
    let first = try await run(invocation, answering.withLock { $0 })
    if servers.count < 2 || !Self.isUnreached(first) { return first }
    for server in servers {
      let result = try await run(invocation, server)
      if Self.isUnreached(result) { continue }
      answering.withLock { $0 = server }
      return result
    }
    return first
  }

  private func run(_ invocation: Invocation, _ server: String?) async throws(CommandError) -> CommandResult {
    var invocation = invocation
    invocation.environment["KUBECONFIG"] = kubeconfig
    if let server { invocation.arguments.append("--server=\(server)") }
    return try await runner.run(invocation)
  }

  /// No connection came to be, so nothing has been done.
  private static func isUnreached(_ result: CommandResult) -> Bool {
    result.status != 0
      && ["dial tcp", "was refused - did you specify the right host or port", "TLS handshake timeout"].contains {
        result.complaint.contains($0)
      }
  }
}
