/// What an operator can do with a cluster; each verb plans first and executes then.
package enum DeployVerb: String, Sendable, CaseIterable {
  case initialize = "init"
  case check, explain, render, plan, apply, verify, status, rollback, doctor, destroy
  case watch, drain, undrain, upgrade, reboot, backup, restore, rotate, remove

  /// One line for the list of verbs.
  package var summary: String {
    switch self {
    case .initialize: "write a commented cluster file"
    case .check: "report every mistake in the cluster file; works offline"
    case .explain: "print the manual of a key or a topic"
    case .render: "write the kustomize tree and the nodes' files; works offline, needs no secret"
    case .plan: "show what apply would change; exit 0 nothing, 2 changes"
    case .apply: "make the cluster what the file says, and prove it"
    case .verify: "upload and download through every edge"
    case .status: "one table of nodes, pods, certificate and cleanup"
    case .rollback: "go back to an earlier generation"
    case .doctor: "look for what usually goes wrong"
    case .destroy: "remove the installation from the cluster"
    case .watch: "keep the records of healthy edges in the DNS"
    case .drain: "take a node out of service"
    case .undrain: "put a node back into service"
    case .upgrade: "upgrade k3s, one node at a time"
    case .reboot: "reboot the nodes that updates of the system want rebooted, one at a time"
    case .backup: "save the state of the cluster and its tokens into a folder"
    case .restore: "bring back what backup has saved"
    case .remove: "take a node that has left the file out of service, the cluster and the firewalls"
    case .rotate: "new tokens for agents or control nodes; new keys of the bucket or of Cloudflare, proven"
    }
  }

  /// Known, and not part of this version.
  package var isNotManagedYet: Bool {
    switch self {
    case .watch: true
    default: false
    }
  }

  package var options: [DeployOption] {
    switch self {
    case .initialize: [.file, .domain, .cluster]
    case .check: [.file, .allow]
    case .explain: [.list]
    case .render: [.file, .output, .facts, .allow]
    case .plan: [.file, .allow, .only, .printCommands, .json]
    case .apply: [.file, .allow, .only, .printCommands, .yes, .noVerify, .timeout]
    case .verify: [.file, .timeout]
    case .status: [.file, .only, .json, .watch]
    case .rollback: [.file, .yes, .timeout]
    case .doctor: [.file, .json]
    case .destroy: [.file, .confirm]
    case .drain, .undrain: [.file, .timeout]
    case .upgrade, .reboot: [.file, .allow, .printCommands, .yes, .noVerify, .timeout]
    case .backup: [.file, .saved, .printCommands]
    case .restore: [.file, .from, .snapshot, .printCommands, .yes]
    case .rotate: [.file, .allow, .printCommands, .yes, .timeout]
    case .remove: [.file, .allow, .printCommands, .yes, .timeout]
    case .watch: [.file]
    }
  }

  /// The one word that may stand without an option; `nil`: none.
  package var operand: (name: String, help: String)? {
    switch self {
    case .explain: ("KEY|TOPIC", "a key such as nodes.role, or a topic such as rollout")
    case .rollback: ("GENERATION", "the number of a generation; the one before the current one if left out")
    case .remove: ("NODE", "the name of a node of the cluster that is not in the file")
    case .drain, .undrain: ("NODE", "the name of a node")
    case .rotate: ("agents|servers|r2|cloudflare", "what is new; the token of the agents if left out")
    default: nil
    }
  }
}
