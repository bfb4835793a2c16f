/// An option of a verb.
package struct DeployOption: Hashable, Sendable {
  package var name: String
  /// What stands for its value in the manual; `nil`: it has none.
  package var value: String?
  package var help: String

  private init(_ name: String, _ value: String?, _ help: String) {
    self.name = name
    self.value = value
    self.help = help
  }

  package static let file = DeployOption("--file", "FILE", "the cluster file (bashupload.yaml)")
  package static let allow = DeployOption(
    "--allow", "FEATURE", "take a feature that is refused for these nodes; repeatable")
  package static let output = DeployOption("--output", "DIR", "the folder to write; replaced as a whole if it is ours")
  package static let saved = DeployOption("--output", "DIR", "the folder to write; it must not exist yet")
  package static let facts = DeployOption(
    "--facts", "FILE", "what only the nodes know (public keys, interfaces); see explain node-setup")
  package static let from = DeployOption("--from", "DIR", "a folder that backup has written")
  package static let snapshot = DeployOption(
    "--snapshot", "NAME", "one of the bucket instead of the one in the folder, which still gives the tokens")
  package static let only = DeployOption("--only", "PART", "nodes, node/NAME or kubernetes")
  package static let printCommands = DeployOption("--print-commands", nil, "print every command that is run")
  package static let domain = DeployOption("--domain", "DOMAIN", "the domain to write into the file")
  package static let cluster = DeployOption("--cluster", "NAME", "the name to write into the file")
  package static let list = DeployOption("--list", nil, "list all keys and topics")
  package static let json = DeployOption("--json", nil, "print JSON")
  package static let yes = DeployOption("--yes", nil, "do not ask")
  package static let noVerify = DeployOption("--no-verify", nil, "do not upload and download at the end")
  package static let timeout = DeployOption("--timeout", "TIME", "how long a wait may take at most (10m)")
  package static let watch = DeployOption("--watch", nil, "print again every 5 seconds")
  package static let confirm = DeployOption("--confirm", "DOMAIN", "the domain, instead of typing it")

  /// Short forms.
  static let aliases = ["-f": "--file", "-o": "--output", "-y": "--yes"]
}
