/// Something on a node that has to be told when its files have changed. The order is the order in which they are told:
/// what a later one needs is right by then.
package enum NodeService: String, Sendable, CaseIterable {
  case updates, modules, kernel, journal, sshd, firewall, wireguard, zerotier, keepalived, address, kubernetes

  /// The unit of systemd; `nil`: nothing runs that would have to be told.
  func unit(of node: NodeSpec) -> String? {
    switch self {
    case .updates: nil
    case .modules: "systemd-modules-load.service"
    case .kernel: "systemd-sysctl.service"
    case .journal: "systemd-journald.service"
    case .sshd: "ssh.service"
    case .firewall: "bashupload-firewall.service"
    case .wireguard: "wg-quick@\(NodeNetwork.wireguardInterface).service"
    case .zerotier: "zerotier-one.service"
    case .keepalived: "keepalived.service"
    case .address: "bashupload-address.timer"
    case .kubernetes: node.role == .edge ? "k3s-agent.service" : "k3s.service"
    }
  }

  /// Units that the system brings and enables itself.
  var isSystems: Bool {
    switch self {
    case .updates, .modules, .kernel, .journal, .sshd: true
    case .firewall, .wireguard, .zerotier, .keepalived, .address, .kubernetes: false
    }
  }

  /// A mistake in it can lock us out: it comes back by itself unless a new connection proves it.
  var isArmed: Bool { self == .sshd || self == .firewall }

  /// What is done after the new connection: it needs the network as it will be.
  var comesAfterProof: Bool {
    switch self {
    case .wireguard, .zerotier, .keepalived, .address, .kubernetes: true
    case .updates, .modules, .kernel, .journal, .sshd, .firewall: false
    }
  }
}
