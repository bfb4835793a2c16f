/// Asks a node everything that a plan has to know, in one round trip. Changes nothing.
struct FactsScript {
  /// Files whose content matters.
  let paths: [String]
  /// Packages that have to be there.
  let packages: [String]
  /// Units whose state matters.
  let units: [String]

  /// Digests of them tell whether a node has the right one; they are long and random, so a digest tells nothing else.
  static let secretPaths = [
    K3sConfiguration.tokenPath, K3sConfiguration.agentTokenPath, serverToken, joinToken,
    K3sConfiguration.snapshotCredentialsPath, kubeconfig,
  ]
  /// What k3s makes of the tokens: with the digest of the cluster's own authority in it, so that who joins knows whom.
  static let serverToken = "/var/lib/rancher/k3s/server/token"
  static let joinToken = "/var/lib/rancher/k3s/server/agent-token"

  /// The administrator's; k3s makes it anew with each certificate.
  static let kubeconfig = "/etc/rancher/k3s/k3s.yaml"

  var text: String {
    func list(_ words: [String]) -> String { words.map(ShellText.quoted).joined(separator: " ") }
    let every = (paths + Self.secretPaths + ["/usr/local/bin/k3s"]).sorted()
    return ShellText.head + """
      echo facts 1
      echo "architecture $(uname -m)"
      if [ -d /run/systemd/system ]; then echo systemd; fi
      if [ -f "$state/files" ]; then sed 's/^/owned /' "$state/files"; fi
      set -- \(list(every))
      if [ -f "$state/files" ]; then
        while IFS= read -r path; do set -- "$@" "$path"; done <"$state/files"
      fi
      sha256sum -- "$@" 2>/dev/null | sed 's/^/sum /'
      stat -c 'mode %a %n' -- "$@" 2>/dev/null
      for stamp in "$state"/stamps/*; do
        if [ -f "$stamp" ]; then echo "stamp ${stamp##*/} $(cat "$stamp")"; fi
      done
      for each in /etc/rancher/k3s/config.yaml.d/*.yaml /etc/rancher/k3s/config.yaml.d/*.yml; do
        if [ -f "$each" ]; then echo "settings $each"; fi
      done
      \(ForeignFirewall.script)
      if [ -d "$state/pending" ]; then echo pending; fi
      if [ -e "\(BackupScripts.mark)" ] || [ -d "\(BackupScripts.kept)" ]; then echo restoring; fi
      dpkg-query --show --showformat='${db:Status-Status} ${Package}\\n' \(list(packages)) 2>/dev/null |
        sed -n 's/^installed /package /p'
      for unit in \(list(units)) ufw.service firewalld.service; do
        active=$(systemctl is-active "$unit" 2>/dev/null)
        # Of a table that somebody has flushed since, systemd knows nothing.
        if [ "$unit" = bashupload-firewall.service ] && ! nft list table inet \(FirewallTable.table) >/dev/null 2>&1; then
          active=inactive
        fi
        echo "unit $unit $active $(systemctl is-enabled "$unit" 2>/dev/null)"
      done
      if [ -f \(WireGuardMesh.keyPath) ] && command -v wg >/dev/null; then
        echo "key $(wg pubkey <\(WireGuardMesh.keyPath))"
      fi
      if [ -f \(WireGuardMesh.path) ]; then
        sed -n 's/^# \\([a-z0-9-]*\\)$/peer \\1/p; s/^PublicKey = /peer-key /p' \(WireGuardMesh.path)
      fi
      # Of which cluster its tokens are: what k3s itself has written is the newer one.
      for each in \(K3sConfiguration.tokenPath) \(Self.serverToken); do
        if [ -f "$each" ]; then sed -n 's/^K10\\([0-9a-z]*\\)::.*/authority \\1/p' "$each"; fi
      done
      if [ -f \(K3sConfiguration.path) ]; then
        sed -n 's#^server: "\\{0,1\\}https://\\(.*\\):6443"\\{0,1\\}$#server \\1#p' \(K3sConfiguration.path)
        sed -n 's/^node-ip: "\\{0,1\\}\\([0-9a-f.:]*\\).*$/node-ip \\1/p' \(K3sConfiguration.path)
        if [ -d /var/lib/rancher/k3s/server/db ]; then
          sed -n 's#^cluster-cidr: "\\{0,1\\}\\([0-9./]*\\).*$#pods \\1#p' \(K3sConfiguration.path)
          sed -n 's#^service-cidr: "\\{0,1\\}\\([0-9./]*\\).*$#services \\1#p' \(K3sConfiguration.path)
          if grep -q '^cluster-cidr:.*,' \(K3sConfiguration.path); then echo "dual-stack yes"; else echo "dual-stack no"; fi
        fi
      fi
      if [ -d /var/lib/rancher/k3s/server/db/etcd/member ]; then echo member; fi
      sed -n 's#^advertise-client-urls: "\\{0,1\\}https\\{0,1\\}://\\(.*\\):2379"\\{0,1\\}$#etcd \\1#p' \
        /var/lib/rancher/k3s/server/db/etcd/config 2>/dev/null
      if [ -x /usr/local/bin/k3s ]; then
        echo "k3s $(timeout 20 /usr/local/bin/k3s --version 2>/dev/null | awk 'NR == 1 { print $3 }')"
      fi
      if command -v zerotier-one >/dev/null; then echo zerotier; fi
      ip -o address show 2>/dev/null | awk '{ print "address", $2, $4 }'
      for name in server/tls/client-admin server/tls/serving-kube-apiserver agent/client-kubelet agent/serving-kubelet; do
        certificate=/var/lib/rancher/k3s/$name.crt
        if [ -f "$certificate" ] && command -v openssl >/dev/null; then
          echo "certificate $(date -d "$(openssl x509 -noout -enddate -in "$certificate" | cut -d= -f2)" +%s)"
        fi
      done
      echo "boot $(cat /proc/sys/kernel/random/boot_id)"
      if [ -f /var/run/reboot-required ]; then echo reboot; fi
      echo end
      """ + ShellText.tail
  }
}
