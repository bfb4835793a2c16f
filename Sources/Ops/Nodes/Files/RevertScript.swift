/// What brings firewall and sshd back when nobody has proven that the new ones let us in: started by a timer that apply
/// arms, and before the network at every start of the machine.
enum RevertScript {
  static let path = "/usr/local/lib/bashupload/revert"
  /// Copies of what was there before, while a change waits for its proof.
  static let pending = "/var/lib/bashupload/pending"

  static let file = NodeFile(
    path, mode: 0o755,
    """
    #!/bin/sh
    \(NodeFile.header("Undoes a change of firewall or sshd that no new connection has proven"))
    # revert [ID]: only the change of that name; without one, whatever waits.
    set -u
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    state=/var/lib/bashupload
    [ -d "$state/pending" ] || exit 0
    if [ $# -gt 0 ] && [ "$(cat "$state/pending/id" 2>/dev/null)" != "$1" ]; then exit 0; fi
    # Whoever renames the folder decides: the proof or the revert, never both.
    rm -rf "$state/reverted"
    mv "$state/pending" "$state/reverted" || exit 0
    while read -r path; do
      if [ -e "$state/reverted/old$path" ]; then
        cp -p "$state/reverted/old$path" "$path.revert" && mv "$path.revert" "$path"
      else
        rm -f "$path"
      fi
    done <"$state/reverted/files"
    if grep -qx firewall "$state/reverted/services"; then
      if [ -e \(FirewallTable.path) ]; then
        nft -f \(FirewallTable.path)
      else
        nft delete table inet \(FirewallTable.table) 2>/dev/null
      fi
    fi
    if grep -qx sshd "$state/reverted/services"; then systemctl --no-block try-reload-or-restart ssh.service; fi
    exit 0

    """)
}
