/// What only the nodes themselves can tell and their files need: gathered at apply, or given to render by `--facts FILE`.
package struct KnownFacts: Hashable, Sendable {
  /// Of one node.
  package struct Node: Hashable, Sendable {
    /// Its WireGuard public key.
    package var publicKey: String?
    /// The interface that has its private address.
    package var interface: String?
    /// Where it joins, when that does not follow from the cluster file: a first control node that was built anew.
    var server: IPAddress?
    /// The k3s that it has and keeps; `nil`: it gets the one of the cluster file.
    var k3s: K3sVersion?

    package init(publicKey: String? = nil, interface: String? = nil) {
      self.publicKey = publicKey
      self.interface = interface
    }
  }

  package var nodes: [String: Node]
  /// Nodes that could not be asked: the files of the others do without them.
  package var absent: Set<String> = []

  package init(_ nodes: [String: Node] = [:]) {
    self.nodes = nodes
  }
}

/// A fact that a file needs and nobody has told.
struct MissingFact: Error, CustomStringConvertible {
  /// The file that waits.
  var path: String
  /// What is missing.
  var what: String

  var description: String { "\(path) needs \(what)" }
}
