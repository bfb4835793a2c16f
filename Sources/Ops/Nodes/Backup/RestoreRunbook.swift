/// The steps of a restore, as they are printed, kept beside the backup, and executed. One list, so that what is read is what
/// is done.
struct RestoreRunbook: Sendable {
  /// What a step is.
  enum Action: Hashable, Sendable {
    /// `install`: k3s without starting it; `follow`: an edge gets the k3s that the control plane has by then.
    case stop, install, bring, restore, rejoin, follow
  }

  /// One of them.
  struct Step: Hashable, Sendable {
    var node: String
    var action: Action
    var title: String
    /// By hand.
    var command: String
  }

  let steps: [Step]

  /// - Parameter version: the k3s of the backup, when another one is there: data of a newer k3s cannot be read by an older one,
  ///   so the binary goes back while nothing runs, and the data after it.
  /// - Parameter followers: edges that have another k3s, and get this one when the control plane has it.
  /// - Parameter snapshot: one of the bucket, which needs not be brought.
  init(
    _ file: ClusterFile, _ datastore: KubernetesSettings.Datastore, k3s version: String? = nil,
    followers: [NodeSpec] = [], snapshot: String? = nil
  ) {
    guard let first = file.controls.first else {
      steps = []
      return
    }
    let others = file.controls.dropFirst()
    let reset =
      datastore == .etcd
      ? "sed -i 's/^server: .*/cluster-init: true/' /etc/rancher/k3s/config.yaml; "
        + "k3s server --cluster-reset --cluster-reset-restore-path=\(snapshot ?? "snapshot --etcd-s3=false")"
      : "(cd /var/lib/rancher/k3s/server; mv db db.before; mv tls tls.before; mv cred cred.before); tar -C /var/lib/rancher/k3s/server -xf snapshot"
    let stops = others.map {
      Step(node: $0.name, action: .stop, title: "stop k3s; pods go on", command: "systemctl stop k3s")
    }
    let rejoins = others.map {
      Step(
        node: $0.name, action: .rejoin, title: "bring the tokens, move its old data away and join again",
        command:
          "install -m 600 token agent-token /etc/rancher/k3s/; mv /var/lib/rancher/k3s/server/db /var/lib/rancher/k3s/server/db.before; systemctl start k3s"
      )
    }
    let installs = file.controls.map { node in
      version.map {
        Step(
          node: node.name, action: .install, title: "stop k3s, bring k3s \($0), start nothing",
          command: "systemctl stop k3s; install -m 755 k3s /usr/local/bin/k3s")
      }
    }
    let follows = followers.map { node in
      Step(
        node: node.name, action: .follow, title: "the k3s of the control nodes, out of service meanwhile",
        command: "install -m 755 k3s /usr/local/bin/k3s; systemctl restart k3s-agent")
    }
    steps =
      stops + installs.compactMap { $0 }
      + (snapshot == nil
        ? [
          Step(
            node: first.name, action: .bring, title: "bring the snapshot",
            command: "scp snapshot \(first.ssh.user)@\(first.address):")
        ] : []) + [
        Step(
          node: first.name, action: .restore, title: "stop k3s, bring back tokens and state, start k3s",
          command:
            "systemctl stop k3s; install -m 600 token agent-token /etc/rancher/k3s/; \(reset); systemctl start k3s")
      ] + rejoins + follows
  }

  var lines: [String] {
    steps.enumerated().map { index, step in "\(index + 1). \(step.node): \(step.title)\n     \(step.command)" }
  }

  /// For the folder of the backup: for whoever has no more than that.
  func document(_ manifest: BackupManifest) -> String {
    """
    # Restoring the cluster \(manifest.cluster)

    The state of \(manifest.time), saved by k3s \(manifest.version). `token` and `agent-token` are secrets; without `token` the
    snapshot cannot be read.

    `bashupload deploy restore --from THIS_FOLDER` does all of this; by hand it is:

    \(lines.joined(separator: "\n"))

    The k3s on the nodes has to be \(manifest.version): set kubernetes.k3s.version and sha256. Where another one is, `restore` brings
    it: on all control nodes while k3s is stopped there, before the state, and on the edges one after the other, at the end. By
    hand: `systemctl stop k3s` on all of them, `install -m 755 k3s /usr/local/bin/k3s` on each, then the steps above. Edges go on
    serving meanwhile. Uploads are in the bucket and not in here. Afterwards `bashupload deploy apply` makes sure of the rest.

    """
  }
}
