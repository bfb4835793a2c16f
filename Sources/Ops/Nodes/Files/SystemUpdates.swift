/// Security updates install themselves. Reboots do not: one node at a time is a matter of `deploy`, and an agent that
/// reboots while the only server is away does not come back into service.
enum SystemUpdates {
  static let file = NodeFile(
    "/etc/apt/apt.conf.d/52bashupload",
    lines: [
      NodeFile.header("Unattended upgrades: security only, no reboot", comment: "//"),
      "APT::Periodic::Update-Package-Lists \"1\";",
      "APT::Periodic::Unattended-Upgrade \"1\";",
      "#clear Unattended-Upgrade::Allowed-Origins;",
      "#clear Unattended-Upgrade::Origins-Pattern;",
      "Unattended-Upgrade::Origins-Pattern {",
      "  \"origin=Debian,codename=${distro_codename}-security,label=Debian-Security\";",
      "  \"origin=Ubuntu,archive=${distro_codename}-security,label=Ubuntu\";",
      "};",
      "Unattended-Upgrade::Automatic-Reboot \"false\";",
      "Unattended-Upgrade::Remove-Unused-Kernel-Packages \"true\";",
      "Unattended-Upgrade::MinimalSteps \"true\";",
    ])
}
