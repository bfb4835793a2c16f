/// The units of systemd that are ours: k3s, the firewall, and what undoes an unproven change at the start of the machine.
struct SystemUnits {
  let node: NodeSpec
  let network: NodeNetwork

  init(_ node: NodeSpec, _ network: NodeNetwork) {
    self.node = node
    self.network = network
  }

  private func unit(_ name: String, _ what: String, _ lines: [String]) -> NodeFile {
    NodeFile("/etc/systemd/system/\(name)", lines: [NodeFile.header(what)] + lines)
  }

  var kubernetes: NodeFile {
    let isServer = node.role != .edge
    var after = ["network-online.target", "bashupload-firewall.service"]
    if network.file.mesh.type == .wireguard { after.append("wg-quick@\(NodeNetwork.wireguardInterface).service") }
    if network.file.mesh.type == .zerotier { after.append("zerotier-one.service") }
    var lines = [
      "[Unit]",
      "Description=Lightweight Kubernetes (\(isServer ? "server" : "agent"))",
      "Documentation=https://docs.k3s.io",
      "Wants=\(after.joined(separator: " "))",
      "After=\(after.joined(separator: " "))",
      "",
      "[Service]",
      "Type=\(isServer ? "notify" : "exec")",
      "# The binary is brought by apply; k3s keeps pods over its own restart.",
      "KillMode=process",
      "Delegate=yes",
      "LimitNOFILE=1048576",
      "LimitNPROC=infinity",
      "LimitCORE=infinity",
      "TasksMax=infinity",
      "TimeoutStartSec=0",
      "Restart=always",
      "RestartSec=5s",
      "ExecStartPre=-/sbin/modprobe br_netfilter",
      "ExecStartPre=-/sbin/modprobe overlay",
    ]
    if isServer { lines.append("ExecStartPre=/bin/mkdir -p -m 0700 /var/lib/rancher/k3s/server/logs") }
    lines += [
      "ExecStart=/usr/local/bin/k3s \(isServer ? "server" : "agent")", "", "[Install]", "WantedBy=multi-user.target",
    ]
    return unit(isServer ? "k3s.service" : "k3s-agent.service", "k3s on \(node.name)", lines)
  }

  var firewall: NodeFile {
    unit(
      "bashupload-firewall.service", "The firewall",
      [
        "[Unit]",
        "Description=Firewall of bashupload",
        "DefaultDependencies=no",
        "Wants=network-pre.target",
        "Before=network-pre.target shutdown.target",
        "# nftables.service begins with an empty ruleset.",
        "After=local-fs.target nftables.service bashupload-revert.service",
        "Conflicts=shutdown.target",
        "ConditionPathExists=\(FirewallTable.path)",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "# Stopping it leaves the table: an open node is worse than a closed one.",
        "ExecStart=/usr/sbin/nft -f \(FirewallTable.path)",
        "ExecReload=/usr/sbin/nft -f \(FirewallTable.path)",
        "",
        "[Install]",
        "WantedBy=sysinit.target",
      ])
  }

  var revert: NodeFile {
    unit(
      "bashupload-revert.service", "What waits for its proof when the machine starts has none",
      [
        "[Unit]",
        "Description=Undo an unproven change of firewall or sshd",
        "DefaultDependencies=no",
        "After=local-fs.target",
        "Before=bashupload-firewall.service network-pre.target ssh.service shutdown.target",
        "Conflicts=shutdown.target",
        "ConditionPathExists=\(RevertScript.pending)",
        "",
        "[Service]",
        "Type=oneshot",
        "ExecStart=\(RevertScript.path)",
        "",
        "[Install]",
        "WantedBy=sysinit.target",
      ])
  }

  var address: [NodeFile] {
    [
      unit(
        "bashupload-address.service", "Tells k3s its public address when that has changed",
        [
          "[Unit]",
          "Description=Public address of this node",
          "Wants=network-online.target",
          "After=network-online.target",
          "",
          "[Service]",
          "Type=oneshot",
          "ExecStart=\(AddressWatch.path)",
        ]),
      unit(
        "bashupload-address.timer", "How often the public address is read",
        [
          "[Unit]",
          "Description=Public address of this node, again and again",
          "",
          "[Timer]",
          "OnBootSec=30s",
          "OnUnitActiveSec=\(network.file.features.dynamicAddressEvery)s",
          "RandomizedDelaySec=5s",
          "",
          "[Install]",
          "WantedBy=timers.target",
        ]),
    ]
  }
}
