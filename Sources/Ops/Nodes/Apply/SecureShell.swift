/// The operator's own ssh with the operator's own keys and known hosts: we keep neither a client nor credentials.
struct SecureShell: Sendable {
  /// ssh's own status for a connection that it could not make or keep.
  static let noConnection: Int32 = 255
  /// Tries of a connection.
  static let tries = 3

  let context: DeployContext

  private static let options = [
    "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
    // A new host is remembered, a changed one is refused.
    "-o", "StrictHostKeyChecking=accept-new",
    // A proof by an old connection would be none.
    "-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "LogLevel=ERROR",
  ]

  /// The key that is named and no other: an agent with many keys would use up the tries that sshd grants.
  private static func key(_ login: SSHLogin) -> [String] {
    login.keyFile.map { ["-i", $0, "-o", "IdentitiesOnly=yes"] } ?? []
  }

  /// A ProxyCommand and not -J: that would not use the key.
  private static func jump(_ node: NodeSpec) -> [String] {
    guard let jump = node.jumpHost else { return [] }
    let line = Invocation(
      "ssh",
      options + ["-p", String(jump.port)] + key(node.ssh).map { $0.replacing("%", with: "%%") }
        + ["-W", "[%h]:%p", "\(jump.user)@\(jump.address)"]
    ).line
    return ["-o", "ProxyCommand=\(line)"]
  }

  /// A node whose address has changed is still known by the key of the address that the file has.
  private static func alias(_ node: NodeSpec) -> [String] {
    guard let listed = node.listedAddress else { return [] }
    return ["-o", "HostKeyAlias=\(node.ssh.port == 22 ? "\(listed)" : "[\(listed)]:\(node.ssh.port)")"]
  }

  /// What runs a script from standard input as root.
  static func arguments(_ node: NodeSpec) -> [String] {
    options + alias(node) + jump(node) + ["-p", String(node.ssh.port)] + key(node.ssh) + [
      "\(node.ssh.user)@\(node.address)"
    ]
      + (node.ssh.user == "root" ? [] : ["sudo", "-n"]) + ["/bin/sh", "-s"]
  }

  /// One connection.
  func once(_ script: String, on node: NodeSpec, deadline: Int = 120) async throws -> CommandResult {
    try await context.runner.run(Invocation("ssh", Self.arguments(node), input: script, deadline: deadline))
  }

  /// As many connections as it takes, three at most, and only as long as nothing of the script has been heard.
  /// - Parameter script: asked for each try.
  func run(_ script: () -> String, on node: NodeSpec, deadline: Int = 120, tries: Int = tries) async throws
    -> CommandResult
  {
    for attempt in 1... {
      let result = try await once(script(), on: node, deadline: deadline)
      if result.status != Self.noConnection || !result.output.isEmpty { return result }
      if attempt >= tries { throw NodeFailure(node, "not reachable: \(Self.reason(result))") }
      // Jitter: nodes that were asked at once are not asked again at once.
      try await context.sleep(attempt + Int.random(in: 0...1))
    }
    throw NodeFailure(node, "never tried")
  }

  static func reason(_ result: CommandResult) -> String {
    result.complaint.split(separator: "\n").last.map(String.init) ?? "ssh ended with status \(result.status)"
  }

  /// Brings a file of this machine to a node.
  func copy(_ path: String, to remote: String, on node: NodeSpec) async throws {
    try await transfer([path, "\(node.ssh.user)@\(node.address):\(remote)"], node)
  }

  /// Brings a file of a node to this machine.
  func fetch(_ remote: String, to path: String, on node: NodeSpec) async throws {
    try await transfer(["\(node.ssh.user)@\(node.address):\(remote)", path], node)
  }

  private func transfer(_ files: [String], _ node: NodeSpec) async throws {
    let arguments =
      Self.options + Self.alias(node) + Self.jump(node) + ["-P", String(node.ssh.port)] + Self.key(node.ssh) + [
        "-p", "--",
      ] + files
    let result = try await context.runner.run(Invocation("scp", arguments, deadline: 900))
    if result.status != 0 { throw NodeFailure(node, "not reachable: scp: \(Self.reason(result))") }
  }
}
