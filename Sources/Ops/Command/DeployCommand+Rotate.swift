/// New tokens. Each is made on the first control node and brought to the others as apply does it; nodes that run go on with
/// what they have, so nothing stops meanwhile.
extension DeployCommand {
  func rotate(_ arguments: DeployArguments) async throws -> Int32 {
    switch arguments.operand {
    case "r2": try await rotateBucketKeys(arguments)
    case "cloudflare": try await rotateCloudflareToken(arguments)
    default: try await rotateTokens(arguments)
    }
  }

  private func rotateTokens(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    guard let first = file.controls.first else { throw Failure("the file has no control node") }
    let isServers = arguments.operand == "servers"
    // A control node that comes back with the old token would be a stranger to the others.
    if isServers { try await requireAll(file.controls, file) }
    context.say(
      isServers
        ? "a new token for the control nodes: k3s restarts on them, one after the other, pods go on"
        : "a new token for the agents: k3s restarts on every node, pods go on")
    try confirm("make one?", arguments)
    var rest = arguments
    rest.flags.insert("--yes")
    let nodes = try await lockedIfItAnswers(file) { _ in
      let result = try await SecureShell(context: context).run(
        { isServers ? Self.serverToken : Self.agentToken }, on: first, deadline: NodeOperator.patience)
      guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(first, result) }
      return try await applyNodes(file, rest)
    }
    if !nodes.failures.isEmpty {
      throw Failure(
        "still with the old token: \(nodes.failures.map(\.node).joined(separator: ", ")); apply gives them the new one")
    }
    context.say(
      isServers
        ? "every control node has the new token; take a new backup: the old one, and older snapshots, need the old token"
        : "every node has the new token; take a new backup: the old one holds the old token")
    return 0
  }

  private func requireAll(_ nodes: [NodeSpec], _ file: ClusterFile) async throws {
    if let failure = try await looker(file).glance(nodes).failures.first {
      throw Failure("\(failure); nothing has been changed: all control nodes have to get the new token")
    }
  }

  private static let take = """
    set -e
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -w 120 9

    """

  private static let restart = ShellText.kubernetes("restart", "k3s.service").joined(separator: "\n")

  /// The configuration says which, and k3s takes it when it starts.
  private static let agentToken =
    ShellText.head + take + """
      (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -c1-64 >\(K3sConfiguration.agentTokenPath).bashupload-new)
      mv -f \(K3sConfiguration.agentTokenPath).bashupload-new \(K3sConfiguration.agentTokenPath)
      \(restart)
      echo end
      """ + ShellText.tail

  /// k3s has what it stores encrypted with this token, so k3s itself has to change it, and makes the new one: given as an
  /// argument, everybody on the machine could read it. A run that was interrupted after that takes what is there.
  private static let serverToken =
    ShellText.head + take + """
      own() { sed 's/^K10[0-9a-z]*:://; s/^server://' "$1"; }
      if [ "$(own \(FactsScript.serverToken))" = "$(own \(K3sConfiguration.tokenPath))" ]; then
        K3S_TOKEN=$(cat \(K3sConfiguration.tokenPath)) k3s token rotate >/dev/null 9>&-
      fi
      (umask 077 && own \(FactsScript.serverToken) >\(K3sConfiguration.tokenPath).bashupload-new)
      mv -f \(K3sConfiguration.tokenPath).bashupload-new \(K3sConfiguration.tokenPath)
      \(restart)
      echo end
      """ + ShellText.tail
}
