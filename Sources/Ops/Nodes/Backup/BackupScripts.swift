/// What a control node does to save its state and to take it back.
struct BackupScripts {
  let datastore: KubernetesSettings.Datastore
  /// Of this backup; letters and digits.
  let id: String

  /// Where the state lies for the way between the machines; only whoever logs in may read it.
  var staged: String { "/tmp/bashupload-backup-\(id)" }

  private static let data = "/var/lib/rancher/k3s/server"
  /// Where k3s keeps those of this machine.
  static let snapshots = "\(data)/db/snapshots"

  /// Tells version and digest, and the tokens without which a snapshot cannot be read.
  var save: String {
    let make =
      switch datastore {
      case .etcd:
        """
        echo "step save a snapshot of etcd"
        # A file of this machine is what is wanted, whatever config.yaml says of S3.
        k3s etcd-snapshot save --name backup-\(id) --etcd-s3=false >/dev/null
        made=$(ls -t \(Self.snapshots)/backup-\(id)* | head -n 1)
        cp "$made" \(staged)
        rm -f "$made"
        """
      case .sqlite:
        """
        echo "step stop k3s, so that the database is still; pods go on"
        # k3s comes back whatever happens, also when nobody listens to this script any more.
        trap '' PIPE HUP
        trap 'systemctl start k3s.service' EXIT
        systemctl stop k3s.service
        echo "step copy the database"
        tar -C \(Self.data) -cf \(staged) db
        echo "step start k3s"
        systemctl start k3s.service
        trap - EXIT
        """
      }
    return ShellText.head + """
      set -e
      umask 077
      \(make)
      chown "${SUDO_UID:-0}" \(staged)
      echo "version $(k3s --version | awk '{ print $3; exit }')"
      echo "sum $(sha256sum <\(staged) | cut -c1-64)"
      echo "token $(base64 -w 0 \(K3sConfiguration.tokenPath))"
      echo "agent-token $(base64 -w 0 \(K3sConfiguration.agentTokenPath))"
      echo end
      """ + ShellText.tail
  }

  var clean: String { ShellText.head + "rm -f \(staged)\n" + ShellText.tail }

  /// Of a control node whose data is older than the state that is being restored: two such would be the old cluster beside the new
  /// one, also after a start of the machine.
  static let mark = "$state/restoring"

  static let stop =
    ShellText.head + """
      set -e
      mkdir -p "$state"
      touch "\(mark)"
      systemctl disable --quiet k3s.service
      systemctl stop k3s.service
      """ + ShellText.tail

  /// What is restored.
  enum Source: Hashable, Sendable {
    /// The file that has been brought, with its digest.
    case file(sha256: String)
    /// A snapshot of the bucket, which k3s fetches itself with the settings that it has.
    case bucket(name: String)
  }

  /// Whether it may stand in a command without quotes.
  static func isSnapshotName(_ text: String) -> Bool {
    text.utf8.first.map { $0 != 0x2D && $0 != 0x2E } == true && text.utf8.count <= 253
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || [0x2D, 0x2E, 0x5F].contains($0)
      }
  }

  /// - Parameters:
  ///   - token: contents of the token files, in Base64; they come on standard input with the rest of the script.
  func restore(token: String, agentToken: String, from source: Source) -> String {
    let check: String
    let reset: String
    switch source {
    case .file(let sha256):
      check = """
        if [ "$(sha256sum <\(staged) | cut -c1-64)" != \(sha256) ]; then
          echo "the snapshot has arrived damaged" >&2
          exit 1
        fi
        """
      // This file, whatever config.yaml says of S3.
      reset = "--cluster-reset-restore-path=\(staged) --etcd-s3=false"
    case .bucket(let name):
      check = "command -v k3s >/dev/null"
      reset = "--cluster-reset-restore-path=\(name)"
    }
    let (take, giveBack) =
      switch datastore {
      case .etcd:
        (
          """
          step set etcd back to the snapshot
          # k3s resets none that joins another; this one is the first from now on.
          sed -i 's/^server: .*/cluster-init: true/' \(K3sConfiguration.path) 2>/dev/null || true
          # The old data is kept by k3s beside the new.
          old() { ls -d \(Self.data)/db/etcd-old-* 2>/dev/null | sort | tail -n 1; }
          before=$(old)
          if ! timeout 600 k3s server --cluster-reset \(reset) >/var/log/bashupload-restore.log 2>&1 9>&-; then
            echo "k3s could not take the snapshot, /var/log/bashupload-restore.log says why: $(tail -n 1 /var/log/bashupload-restore.log)" >&2
            exit 1
          fi
          """,
          """
          if [ "$(old)" != "$before" ]; then
            rm -rf \(Self.data)/db/etcd
            mv "$(old)" \(Self.data)/db/etcd
          fi
          """
        )
      case .sqlite:
        (
          """
          step put the database back
          # Interrupted after the move, the next run must not take what was moved for something older. Certificates go as well:
          # those of the database come back by k3s, which does not start beside newer ones.
          for each in db tls cred; do
            if [ -e "\(Self.data)/$each" ]; then
              rm -rf "\(Self.data)/$each.before"
              mv "\(Self.data)/$each" "\(Self.data)/$each.before"
              moved="$moved $each "
            fi
          done
          mkdir -p \(Self.data)
          tar -C \(Self.data) -xf \(staged) 9>&-
          """,
          """
          for each in $moved; do
            rm -rf "\(Self.data)/$each"
            mv "\(Self.data)/$each.before" "\(Self.data)/$each"
          done
          """
        )
      }
    return ShellText.head + """
      set -e
      mkdir -p "$state"
      exec 9>"$state/lock"
      if ! flock -w 120 9; then
        echo "another deploy is at work on this node" >&2
        exit \(NodeScript.Status.busy)
      fi
      # It ends what it has begun, also when nobody listens any more.
      trap '' PIPE HUP
      step() { echo "step $*" || true; }
      # What has been there comes back when the state cannot be taken. Files that are kept already are of a run that was cut off.
      kept="\(Self.kept)" files='\(Self.tokens.joined(separator: " ")) \(K3sConfiguration.path)' moved= before=
      old() { :; }
      if [ ! -d "$kept" ]; then
        rm -rf "$kept.new"
        mkdir -m 700 "$kept.new"
        for each in $files; do
          if [ -e "$each" ]; then cp -p "$each" "$kept.new"; fi
        done
        mv "$kept.new" "$kept"
      fi
      give_back() {
        trap - EXIT
        set +e
        \(giveBack.replacing("\n", with: "\n  "))
        for each in $files; do
          if [ -e "$kept/${each##*/}" ]; then mv -f "$kept/${each##*/}" "$each"; else rm -f "$each"; fi
        done
        rm -rf "$kept"
        systemctl start --no-block k3s.service 9>&-
        echo '\(Self.isBack)'
      }
      trap give_back EXIT
      \(check)
      systemctl stop k3s.service 9>&-
      step bring the tokens back
      \(Self.put(token: token, agentToken: agentToken))
      \(take)
      trap - EXIT
      rm -rf "$kept"
      step start k3s
      \(ShellText.kubernetes("start", "k3s.service").joined(separator: "\n"))
      rm -f \(staged)
      # What k3s itself makes of the token has its authority in it: who joins knows whom.
      for each in \(FactsScript.serverToken) \(K3sConfiguration.tokenPath); do
        if [ -f "$each" ]; then
          echo "token $(base64 -w 0 "$each")"
          break
        fi
      done
      echo end
      """ + ShellText.tail
  }

  /// What has been there, until the state has come.
  static let kept = "$state/before-restore"

  /// What `restore` says when everything is as it was.
  static let isBack = "back as it was"

  private static let tokens = [K3sConfiguration.tokenPath, K3sConfiguration.agentTokenPath]

  /// printf is a part of the shell: nothing of this is an argument of a process.
  private static func put(token: String, agentToken: String) -> String {
    zip([token, agentToken], tokens).map { content, path in
      """
      mkdir -p /etc/rancher/k3s
      (umask 077 && printf %s '\(content)' | base64 -d >\(path).bashupload-new)
      mv -f \(path).bashupload-new \(path)
      """
    }.joined(separator: "\n")
  }

  /// Tells the k3s that is there.
  static let version =
    ShellText.head + "echo \"k3s $(k3s --version 2>/dev/null | awk 'NR == 1 { print $3 }')\"\n" + ShellText.tail

  /// A control node that joins again what the first one has become, with the tokens of then.
  /// - Parameters:
  ///   - token: contents of the token files, in Base64.
  static func rejoin(token: String, agentToken: String) -> String {
    ShellText.head + """
      set -e
      systemctl stop k3s.service
      \(put(token: token, agentToken: agentToken))
      if [ -e \(data)/db ]; then
        rm -rf \(data)/db.before
        mv \(data)/db \(data)/db.before
      fi
      rm -f "\(mark)"
      systemctl enable --quiet k3s.service
      \(ShellText.kubernetes("start", "k3s.service").joined(separator: "\n"))
      echo end
      """ + ShellText.tail
  }

  /// One that was stopped for a restore that did not come to pass.
  static let start =
    ShellText.head + """
      set -e
      rm -f "\(mark)"
      systemctl enable --quiet k3s.service
      systemctl start --no-block k3s.service
      """ + ShellText.tail
}
