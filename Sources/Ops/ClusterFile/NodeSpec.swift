import UploadCore

/// One server.
package struct NodeSpec: Sendable {
  /// What it is for.
  package enum Role: String, Sendable { case control, edge, all }

  /// What the plan includes per month.
  package struct Traffic: Hashable, Sendable {
    /// Which direction counts.
    package enum Count: String, Sendable { case `in`, out, both, max }

    package var allowance: ByteCount
    package var count: Count
    package var resetDay: Int
  }

  package var name: String
  package var role: Role
  package var address: IPAddress
  /// The address of the cluster file, when the node has another one by now.
  package var listedAddress: IPAddress?
  package var address6: IPAddress?
  package var privateAddress: IPAddress?
  package var meshAddress: IPAddress?
  package var provider: String
  package var region: String
  package var memory: ByteCount
  package var cpus: Int
  package var disk: ByteCount?
  package var ssh: SSHLogin
  package var jumpHost: JumpHost?
  package var labels: [(key: String, value: String)]
  package var taints: [String]
  package var isSpot: Bool
  package var traffic: Traffic?
}
