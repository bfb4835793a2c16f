import FoundationEssentials

/// A plan as a script for the node's shell. It comes on standard input, secrets included, so nothing of it is in an argument.
/// Every step can be repeated: whatever point it was interrupted at, the next plan's script finishes.
struct NodeScript {
  /// Exit statuses with a meaning.
  enum Status {
    static let busy: Int32 = 75
    static let reverted: Int32 = 76
  }

  let plan: NodePlan
  /// Names the change of firewall and sshd.
  let id: String
  /// Seconds until an unproven change comes back.
  let revertAfter: Int64

  private var node: NodeSpec { plan.node }

  /// Whether there are two parts, the second of which has to come by a new connection.
  var needsProof: Bool { !plan.armed.isEmpty }

  /// All of it, or what comes before the proof.
  var first: String { ShellText.head + Self.functions + prepare + (needsProof ? arm : finish) + ShellText.tail }

  /// What comes by the new connection.
  var second: String { ShellText.head + Self.functions + proof + finish + ShellText.tail }

  private static let functions = """
    set -e
    mkdir -p "$state/stamps"
    exec 9>"$state/lock"
    if ! flock -w 120 9; then
      echo "another deploy is at work on this node" >&2
      exit \(Status.busy)
    fi
    step() { echo "step $*"; }
    # put PATH MODE: the content comes in Base64; whoever reads sees the old file or the new one.
    put() {
      step "write $1"
      mkdir -p "${1%/*}"
      (umask 077 && base64 -d >"$1.bashupload-new")
      chmod "$2" "$1.bashupload-new"
      mv -f "$1.bashupload-new" "$1"
    }
    # stamp SERVICE DIGEST: what it has been started with.
    stamp() {
      echo "$2" >"$state/stamps/.new"
      mv -f "$state/stamps/.new" "$state/stamps/$1"
    }

    """

  /// k3s and its settings without a start: what comes then starts it.
  var installation: String {
    var lines = ["step 'stop k3s'", "systemctl stop \(NodeService.kubernetes.unit(of: node) ?? "") 9>&-"]
    if let binary = plan.binary { lines += install(binary) }
    // An older k3s does not start with what only a newer one understands.
    for write in plan.writes where write.file.path.hasPrefix("/etc/rancher/k3s/") && !write.isSecret {
      lines += put(write.file)
    }
    return ShellText.head + Self.functions + lines.joined(separator: "\n") + "\necho end\n" + ShellText.tail
  }

  /// New peers of the mesh, without a restart of the interface and of k3s; `nil`: there are none.
  var peers: String? {
    guard let write = plan.writes.first(where: { $0.file.path == WireGuardMesh.path }) else { return nil }
    let interface = NodeNetwork.wireguardInterface
    // Added, because with `wg syncconf` the private key, which is not in the file, would go.
    let lines =
      ["step 'add the peers of the mesh'"] + put(write.file) + [
        "if wg show \(interface) >/dev/null 2>&1; then", "  wg-quick strip \(interface) >\"$state/peers\"",
        "  wg addconf \(interface) \"$state/peers\"", "  rm -f \"$state/peers\"", "fi", "echo end",
      ]
    return ShellText.head + Self.functions + lines.joined(separator: "\n") + "\n" + ShellText.tail
  }

  // MARK: before the proof

  private var prepare: String {
    var lines: [String] = []
    if !plan.packages.isEmpty {
      lines.append("step 'install \(plan.packages.joined(separator: " "))'")
      lines += ShellText.install(plan.packages)
    }
    // First the list, then the files: an interrupted run leaves nothing that nobody knows.
    lines += [
      "step 'note the files'", "{ cat \"$state/files\" 2>/dev/null || true; cat; } >\"$state/files.all\" <<'EOT'",
    ]
    lines +=
      plan.owned + [
        "EOT", "sort -u \"$state/files.all\" >\"$state/files.new\"", "mv -f \"$state/files.new\" \"$state/files\"",
      ]
    for path in plan.generated {
      lines += [
        "step 'make \(path)'", "mkdir -p \"$(dirname \(path))\"",
        "(umask 077 && head -c 32 /dev/urandom | sha256sum | cut -c1-64 >\(path).bashupload-new)",
        "mv -f \(path).bashupload-new \(path)",
      ]
    }
    if let binary = plan.binary { lines += install(binary) }
    for write in plan.writes where !Self.isArmed(write.file.path) { lines += put(write.file) }
    for path in plan.removals where !Self.isArmed(path) {
      lines += ["step \(ShellText.quoted("remove \(path)"))"] + ending(path) + ["rm -f \(ShellText.quoted(path))"]
    }
    lines += ["step 'read the units'", "systemctl daemon-reload"]
    for restart in plan.restarts where !restart.service.comesAfterProof && !restart.service.isArmed {
      lines += start(restart)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What has to end before a file goes: a unit that runs, and what a script of ours has written itself.
  private func ending(_ path: String) -> [String] {
    func disable(_ unit: String) -> String {
      "systemctl disable --quiet --now \(ShellText.quoted(unit)) 2>/dev/null || true"
    }
    switch path {
    case WireGuardMesh.path: return [disable("wg-quick@\(NodeNetwork.wireguardInterface).service")]
    case VirtualAddress.path: return [disable("keepalived.service")]
    case AddressWatch.path:
      return [
        disable("bashupload-address.timer"), "rm -f \(AddressWatch.written) \(AddressWatch.known)",
        "rm -f \"$state/stamps/address\"",
      ] + ShellText.kubernetes("restart", NodeService.kubernetes.unit(of: node) ?? "")
    case _ where path.hasPrefix("/etc/systemd/system/") && !path.contains("bashupload-address"):
      return [disable(String(path.dropFirst("/etc/systemd/system/".count)))]
    default: return []
    }
  }

  private func put(_ file: NodeFile) -> [String] {
    let encoded = Data(file.text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
    return ["put \(ShellText.quoted(file.path)) \(String(file.mode, radix: 8)) <<'EOT'", encoded, "EOT"]
  }

  private func start(_ restart: NodePlan.Restart) -> [String] {
    guard let unit = restart.service.unit(of: node) else { return [] }
    var lines = ["step 'restart \(unit)'"]
    if restart.service == .kernel {
      lines += [
        "# Where the kernel itself reads router advertisements it would stop with forwarding, and the route would run out.",
        "if grep -qs '^net.ipv6.conf.all.forwarding = 1' \(KernelSettings.path); then",
        "  for each in /proc/sys/net/ipv6/conf/*/accept_ra; do",
        "    if [ \"$(cat \"$each\")\" = 1 ]; then echo 2 >\"$each\"; fi",
        "  done",
        "fi",
      ]
    }
    if restart.service == .zerotier { lines += ZeroTierMesh.join }
    if !restart.service.isSystems { lines.append("systemctl enable --quiet \(unit)") }
    lines += restart.service == .kubernetes ? ShellText.kubernetes("restart", unit) : ["systemctl restart \(unit) 9>&-"]
    return lines + ["stamp \(restart.service.rawValue) \(restart.digest)"]
  }

  private func install(_ binary: K3sBinary) -> [String] {
    let new = "/usr/local/bin/k3s.bashupload-new"
    var lines = ["step 'bring k3s'", "mkdir -p /usr/local/bin", "rm -f \(new)"]
    switch binary.source {
    case .url(let url):
      lines.append(
        "curl --fail --location --silent --show-error --retry 3 --max-time 600 --output \(new) \(ShellText.quoted(url)) 9>&-"
      )
    case .file:
      lines.append("cp \(Self.staged(binary)) \(new)")
    }
    return lines + [
      "if ! echo '\(binary.sha256)  \(new)' | sha256sum --check --status; then",
      "  echo \"k3s has the digest $(sha256sum \(new) | cut -c1-64), not \(binary.sha256)\" >&2", "  rm -f \(new)",
      "  exit 1",
      "fi", "chmod 755 \(new)", "mv -f \(new) /usr/local/bin/k3s", "rm -f \(Self.staged(binary))",
      "for name in kubectl crictl ctr; do",
      "  if [ ! -e /usr/local/bin/$name ]; then ln -s k3s /usr/local/bin/$name; fi", "done",
    ]
  }

  /// Where a file from this machine is laid down before the script takes it, and looks at its digest.
  static func staged(_ binary: K3sBinary) -> String { "/tmp/bashupload-k3s-\(binary.sha256.prefix(16))" }

  // MARK: the proof

  static func isArmed(_ path: String) -> Bool { path == FirewallTable.path || path == SSHDaemonSettings.path }

  /// Keeps what was there, starts the clock, and only then changes anything.
  private var arm: String {
    let services = plan.armed.map(\.service)
    let paths = [(NodeService.firewall, FirewallTable.path), (.sshd, SSHDaemonSettings.path)]
      .filter { services.contains($0.0) }.map(\.1)
    let removed = plan.removals.filter(Self.isArmed)
    var lines = [
      "step 'arm the way back'",
      "if [ -d \"$state/pending\" ]; then \(RevertScript.path); fi",
      "rm -rf \"$state/arming\"",
      "mkdir -p \"$state/arming/old\"",
      "echo \(id) >\"$state/arming/id\"",
    ]
    for path in paths {
      lines += [
        "echo \(path) >>\"$state/arming/files\"",
        "if [ -e \(path) ]; then mkdir -p \"$state/arming/old$(dirname \(path))\" && cp -p \(path) \"$state/arming/old\(path)\"; fi",
      ]
    }
    lines += services.map { "echo \($0.rawValue) >>\"$state/arming/services\"" }
    lines += [
      "mv \"$state/arming\" \"$state/pending\"",
      "if [ -d /run/systemd/system ]; then",
      "  systemd-run --quiet --collect --on-active=\(revertAfter) --unit=bashupload-revert-\(id) \(RevertScript.path) \(id)",
      "else",
      "  setsid sh -c 'sleep \(revertAfter); exec \(RevertScript.path) \(id)' </dev/null >/dev/null 2>&1 9>&- &",
      "fi",
    ]
    for write in plan.writes where Self.isArmed(write.file.path) { lines += put(write.file) }
    lines += removed.map { "rm -f \($0)" }
    if services.contains(.sshd) {
      lines += [
        "step 'look at the settings of sshd'", "mkdir -p /run/sshd",
        "if ! sshd -t; then \(RevertScript.path) \(id); exit 1; fi",
        "if sshd -T 2>/dev/null | grep -qx 'passwordauthentication yes'; then",
        "  \(RevertScript.path) \(id)",
        "  echo 'sshd would still take passwords, some file says so before ours: grep -rn PasswordAuthentication /etc/ssh' >&2",
        "  exit 1",
        "fi",
      ]
    }
    if services.contains(.firewall) {
      lines += [
        "step 'load the firewall'",
        "if ! nft -c -f \(FirewallTable.path); then \(RevertScript.path) \(id); exit 1; fi",
        "systemctl enable --quiet bashupload-firewall.service bashupload-revert.service",
        "systemctl restart bashupload-firewall.service 9>&-",
      ]
    }
    if services.contains(.sshd) { lines.append("systemctl try-reload-or-restart ssh.service 9>&-") }
    return (lines + ["echo armed"]).joined(separator: "\n") + "\n"
  }

  /// Whoever renames the folder decides, the proof or the way back.
  private var proof: String {
    var lines = [
      "if [ \"$(cat \"$state/pending/id\" 2>/dev/null)\" != \(id) ] || ! mv \"$state/pending\" \"$state/proven\"; then",
      "  echo 'the change has come back by itself' >&2",
      "  exit \(Status.reverted)",
      "fi",
      "rm -rf \"$state/proven\"",
      "step 'keep firewall and sshd'",
      "if [ -d /run/systemd/system ]; then systemctl stop bashupload-revert-\(id).timer 2>/dev/null || true; fi",
    ]
    lines += plan.armed.map { "stamp \($0.service.rawValue) \($0.digest)" }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: after the proof

  private var finish: String {
    var lines = plan.restarts.filter(\.service.comesAfterProof).flatMap { start($0) }
    lines += ["step 'note the files'", "cat >\"$state/files.new\" <<'EOT'"] + plan.owned
    lines += ["EOT", "mv -f \"$state/files.new\" \"$state/files\"", "rm -f \"$state/files.all\""]
    let paths = FactsScript.secretPaths.map(ShellText.quoted).joined(separator: " ")
    lines += ["sha256sum -- \(paths) 2>/dev/null | sed 's/^/sum /' || true", "echo end"]
    return lines.joined(separator: "\n") + "\n"
  }
}
