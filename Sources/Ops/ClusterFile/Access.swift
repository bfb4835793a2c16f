/// How an operator reaches the nodes.
package struct Access: Sendable {
  package var adminCIDRs: [String]
  package var ssh: SSHLogin
  package var jumpHost: JumpHost?
  /// Seconds that an unproven change of firewall or sshd stays.
  package var revertAfter: Int64
}

/// How ssh logs in.
package struct SSHLogin: Hashable, Sendable {
  package var user: String
  package var port: Int
  package var keyFile: String?
}

/// A host that ssh goes through.
package struct JumpHost: Hashable, Sendable {
  package var address: String
  package var user: String
  package var port: Int
}
