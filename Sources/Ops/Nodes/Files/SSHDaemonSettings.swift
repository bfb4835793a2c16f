/// sshd: keys only. A drop-in whose name sorts before the images' own (50-cloud-init.conf, some providers' 01-…), because the
/// first value counts.
struct SSHDaemonSettings {
  static let path = "/etc/ssh/sshd_config.d/00-bashupload.conf"

  let node: NodeSpec

  init(_ node: NodeSpec) {
    self.node = node
  }

  var file: NodeFile {
    NodeFile(
      Self.path,
      lines: [
        NodeFile.header("Logging in"),
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitEmptyPasswords no",
        "# Whoever logs in as somebody else needs no root login.",
        "PermitRootLogin \(node.ssh.user == "root" ? "prohibit-password" : "no")",
        "MaxAuthTries 4",
        "LoginGraceTime 30",
        "MaxStartups 10:30:60",
        "X11Forwarding no",
        "ClientAliveInterval 60",
        "ClientAliveCountMax 5",
      ])
  }
}
