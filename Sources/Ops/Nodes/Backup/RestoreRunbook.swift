/// The steps of a restore, as they are printed, kept beside the backup, and executed. One list, so that what is read is what
/// is done.
struct RestoreRunbook: Sendable {
  /// What a step is.
  enum Action: Hashable, Sendable {
    case stop, bring, restore, rejoin
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

  init(_ file: ClusterFile, _ datastore: KubernetesSettings.Datastore) {
    guard let first = file.controls.first else {
      steps = []
      return
    }
    let others = file.controls.dropFirst()
    let reset =
      datastore == .etcd
      ? "k3s server --cluster-reset --cluster-reset-restore-path=snapshot --etcd-s3=false"
      : "tar -C /var/lib/rancher/k3s/server -xf snapshot"
    let stops = others.map {
      Step(node: $0.name, action: .stop, title: "stop k3s; pods go on", command: "systemctl stop k3s")
    }
    let rejoins = others.map {
      Step(
        node: $0.name, action: .rejoin, title: "move its old data away and join again",
        command: "mv /var/lib/rancher/k3s/server/db /var/lib/rancher/k3s/server/db.before; systemctl start k3s")
    }
    steps =
      stops + [
        Step(
          node: first.name, action: .bring, title: "bring the snapshot",
          command: "scp snapshot \(first.ssh.user)@\(first.address):"),
        Step(
          node: first.name, action: .restore, title: "stop k3s, bring back tokens and state, start k3s",
          command:
            "systemctl stop k3s; install -m 600 token agent-token /etc/rancher/k3s/; \(reset); systemctl start k3s"),
      ] + rejoins
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

    The k3s on the nodes has to be \(manifest.version): set kubernetes.k3s.version and sha256, and on a machine that has a newer
    one remove /usr/local/bin/k3s before `bashupload deploy apply --only nodes`. Edges go on serving meanwhile. Uploads are in the
    bucket and not in here. Afterwards `bashupload deploy apply` makes sure of the rest.

    """
  }
}
