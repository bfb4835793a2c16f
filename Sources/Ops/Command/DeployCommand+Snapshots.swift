/// Snapshots of etcd in the bucket: k3s says nothing about a bucket that is not there, or keys that do not reach it, until
/// somebody needs a snapshot.
extension DeployCommand {
  /// The first one, unless there is one already.
  func proveSnapshots(_ file: ClusterFile, _ arguments: DeployArguments) async throws {
    guard file.kubernetes.savesToBucket, let first = file.controls.first else { return }
    if let note = Advice.snapshots(file) { return context.say("note: \(note)") }
    if try await kubectl.snapshots(of: file).contains(where: \.isReady) { return }
    let bucket = SnapshotBucket(file).bucket
    do {
      _ = try await saveSnapshot(named: "first", of: file, on: first, "", deadline: min(120, arguments.timeout))
    } catch let error where !(error is CancellationError) {
      throw Failure(
        "\(error)\nthe cluster runs, and snapshots of etcd do not reach the bucket \(bucket): it has to be there, and the keys "
          + "of storage.r2 have to reach it, or kubernetes.snapshots.to: local keeps them on the node; then run apply again"
      )
    }
  }

  /// - Parameter advice: what to do when there is none in time.
  func saveSnapshot(
    named prefix: String, of file: ClusterFile, on node: NodeSpec, _ advice: String, deadline: Int
  ) async throws -> BucketSnapshot {
    let name = "\(prefix)-\(context.now())"
    var made: BucketSnapshot?
    do {
      try await onNode(node, "k3s etcd-snapshot save --name \(name) >/dev/null")
      try await Wait(context: context, name: "snapshot in the bucket", deadline: deadline, advice: advice).until {
        made = try await kubectl.snapshots(of: file).first { $0.name.hasPrefix(name) }
        if let error = made?.error { return .failed(error) }
        return made?.isReady == true ? .done : .pending("not there yet")
      }
    } catch {
      // k3s keeps it on the node as well, and counts only its own ones there.
      try? await onNode(node, "rm -f \(BackupScripts.snapshots)/\(name)-*")
      throw error
    }
    guard let made else { throw Failure("the snapshot \(name) is gone again") }
    return made
  }

  func onNode(_ node: NodeSpec, _ command: String) async throws {
    let script = ShellText.head + command + "\n" + ShellText.tail
    let result = try await SecureShell(context: context).run({ script }, on: node, deadline: 300)
    if result.status != 0 { throw NodeFailure(node, result) }
  }
}
