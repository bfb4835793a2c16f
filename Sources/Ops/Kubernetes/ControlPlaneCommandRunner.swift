import Synchronization

/// kubectl with the kubeconfig that apply keeps. It names one control node; while that one is away, the others are asked.
final class ControlPlaneCommandRunner: CommandRunner {
  /// Seconds that a control node has to say that it is there. kubectl itself would try a machine that is gone for minutes.
  private static let patience = 5

  private let runner: any CommandRunner
  private let kubeconfig: String
  private let servers: [String]
  /// Who answers; `nil`: whoever the kubeconfig names.
  private let answering = Mutex<String?>(nil)
  private let isAsked = Mutex(false)

  /// - Parameter servers: URLs of the control nodes.
  init(_ runner: any CommandRunner, kubeconfig: String, servers: [String]) {
    self.runner = runner
    self.kubeconfig = kubeconfig
    self.servers = servers
  }

  func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    if invocation.program != "kubectl" { return try await runner.run(invocation) }
    if servers.count < 2 || invocation.arguments.first == "kustomize" { return try await run(invocation, nil) }
    let isFirst = isAsked.withLock { isAsked in
      defer { isAsked = true }
      return !isAsked
    }
    if isFirst { try await choose() }
    let before = answering.withLock { $0 }
    let result = try await run(invocation, before)
    if isFirst || !Self.isUnreached(result) { return result }
    try await choose()
    let now = answering.withLock { $0 }
    return now == before ? result : try await run(invocation, now)
  }

  /// The first that answers, of what the kubeconfig names and all control nodes.
  private func choose() async throws(CommandError) {
    let question = Invocation(
      "kubectl", ["version", "--output=json", "--request-timeout=\(Self.patience)s"], deadline: Self.patience * 2)
    for server in [nil] + servers.map(Optional.some) {
      do {
        guard try await run(question, server).status == 0 else { continue }
        return answering.withLock { $0 = server }
      } catch {
        guard case .deadline = error else { throw error }
      }
    }
  }

  private func run(_ invocation: Invocation, _ server: String?) async throws(CommandError) -> CommandResult {
    var invocation = invocation
    invocation.environment["KUBECONFIG"] = kubeconfig
    if let server { invocation.arguments.append("--server=\(server)") }
    return try await runner.run(invocation)
  }

  /// No connection came to be, so nothing has been done and it may be done elsewhere.
  private static func isUnreached(_ result: CommandResult) -> Bool {
    result.status != 0
      && ["dial tcp", "was refused - did you specify the right host or port", "TLS handshake timeout"].contains {
        result.complaint.contains($0)
      }
  }
}
