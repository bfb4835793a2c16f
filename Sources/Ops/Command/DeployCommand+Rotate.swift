extension DeployCommand {
  /// A new token for the agents: made on the first control node, and brought to the others as apply does it. An interrupted run
  /// is finished by the next apply, which sees that the edges have another token than the control node.
  func rotate(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    guard let first = file.controls.first else { throw Failure("the file has no control node") }
    context.say("a new token for the agents: k3s restarts on every node, pods go on")
    try confirm("make one?", arguments)
    let path = K3sConfiguration.agentTokenPath
    let script =
      ShellText.head + """
        set -e
        mkdir -p "$state"
        exec 9>"$state/lock"
        flock -w 120 9
        (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -c1-64 >\(path).bashupload-new)
        mv -f \(path).bashupload-new \(path)
        systemctl restart k3s.service 9>&-
        echo end
        """ + ShellText.tail
    let result = try await SecureShell(context: context).run({ script }, on: first, deadline: 600)
    guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(first, result) }
    var rest = arguments
    rest.flags.insert("--yes")
    let nodes = try await applyNodes(file, rest)
    if !nodes.failures.isEmpty {
      throw Failure(
        "still with the old token: \(nodes.failures.map(\.node).joined(separator: ", ")); apply gives them the new one")
    }
    context.say("every node has the new token; take a new backup: the old one holds the old token")
    return 0
  }
}
