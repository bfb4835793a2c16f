import FoundationEssentials
import UploadCore

/// The state of the cluster into a folder of this machine, and back.
extension DeployCommand {
  private var shell: SecureShell { SecureShell(context: context) }

  private func first(_ file: ClusterFile) throws -> NodeSpec {
    guard let first = file.controls.first else { throw Failure("the file has no control node") }
    return first
  }

  func backup(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    let node = try first(file)
    let folder = arguments.values["--output"] ?? ""
    if FileManager.default.fileExists(atPath: folder) {
      throw Failure("\(folder) exists already, and a backup is not overwritten: name a new folder")
    }
    let start = context.uptime()
    let scripts = BackupScripts(
      datastore: file.kubernetes.datastore, id: String(UInt64.random(in: 0...UInt64.max), radix: 36))
    let result = try await shell.run({ scripts.save }, on: node, deadline: 600)
    guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(node, result) }
    let words = Dictionary(
      result.output.split(separator: "\n").map { line in
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
      }
    ) { $1 }
    guard let token = words["token"].flatMap({ Data(base64Encoded: $0) }),
      let agentToken = words["agent-token"].flatMap({ Data(base64Encoded: $0) }), let sum = words["sum"]
    else { throw NodeFailure(node, "its tokens could not be read") }
    let manifest = BackupManifest(
      cluster: file.cluster, datastore: file.kubernetes.datastore,
      time: Timestamp(seconds: Int64(context.now())).rfc3339, version: words["version"] ?? "", sha256: sum)
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let path = "\(folder)/\(BackupManifest.snapshot)"
    try await shell.fetch(scripts.staged, to: path, on: node)
    _ = try await shell.run({ scripts.clean }, on: node)
    guard FileDigest.of(file: path) == sum else {
      throw Failure("\(path) has arrived damaged: run backup again, into another folder")
    }
    try Self.write(token, "\(folder)/\(BackupManifest.token)")
    try Self.write(agentToken, "\(folder)/\(BackupManifest.agentToken)")
    try Self.write(
      Data(RestoreRunbook(file, manifest.datastore).document(manifest).utf8), "\(folder)/\(BackupManifest.runbook)")
    // Last: a folder with a manifest is a whole one.
    try Self.write(Data((manifest.json.json + "\n").utf8), "\(folder)/\(BackupManifest.name)")
    context.say(
      "\(folder): state and tokens of \(file.cluster), k3s \(manifest.version) (\(context.uptime() - start) s); "
        + "it holds every Secret of the cluster: keep it where the cluster is not")
    return 0
  }

  func restore(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    let folder = arguments.values["--from"] ?? ""
    func content(_ name: String) throws -> Data {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
        throw Failure("\(folder) has no \(name): name a folder that backup has written")
      }
      return data
    }
    guard let manifest = BackupManifest(String(decoding: try content(BackupManifest.name), as: UTF8.self)) else {
      throw Failure("\(folder)/\(BackupManifest.name) cannot be read")
    }
    guard manifest.cluster == file.cluster, manifest.datastore == file.kubernetes.datastore else {
      throw Failure(
        "\(folder) is of the cluster \(manifest.cluster) with \(manifest.datastore.rawValue), and the file is of "
          + "\(file.cluster) with \(file.kubernetes.datastore.rawValue)")
    }
    let path = "\(folder)/\(BackupManifest.snapshot)"
    let name = arguments.values["--snapshot"]
    if name != nil, manifest.datastore != .etcd || file.kubernetes.snapshotTo != .r2 {
      throw Failure(
        "--snapshot: the cluster file keeps no snapshots in a bucket (datastore etcd, snapshots.to r2): leave it out")
    }
    guard name != nil || FileDigest.of(file: path) == manifest.sha256 else {
      throw Failure("\(path) is damaged: its digest is not the manifest's")
    }
    let token = try content(BackupManifest.token).base64EncodedString()
    let agentToken = try content(BackupManifest.agentToken).base64EncodedString()
    // One that cannot be reached would be missing in the middle.
    var versions: [String: String] = [:]
    for node in file.controls {
      do {
        versions[node.name] = try await k3sVersion(node)
      } catch let failure as NodeFailure {
        throw Failure(
          "\(failure); nothing has been changed: every control node of the file has to be there, one that is lost is taken out of "
            + "it first")
      }
    }
    if let name { try await requireSnapshot(name, file) }
    // Of which k3s a snapshot of the bucket is, nobody has written down.
    let version = name == nil ? try otherVersion(manifest, file, versions) : nil
    let followers = name == nil ? try await followers(manifest, file, isBack: version != nil) : []
    var worker = try await version == nil ? looker(file) : nodeOperator(file)
    worker.isUpgrade = true
    let runbook = RestoreRunbook(file, manifest.datastore, k3s: version, followers: followers, snapshot: name)
    context.say(
      name.map {
        "the state of the snapshot \($0), which has to be of the k3s that is there; what has been changed since is lost:"
      }
        ?? "the state of \(manifest.time), k3s \(manifest.version); what has been changed since is lost:")
    for line in runbook.lines { context.say(line) }
    try confirm("do this?", arguments)
    let start = context.uptime()
    let scripts = BackupScripts(datastore: manifest.datastore, id: String(UInt64.random(in: 0...UInt64.max), radix: 36))
    var left: [String] = []
    var stopped: [NodeSpec] = []
    // From the moment on when the first control node may have another state than the others.
    var isApart = false
    var tokens = token
    func take(_ step: RestoreRunbook.Step, _ node: NodeSpec) async throws {
      switch step.action {
      case .bring: try await shell.copy(path, to: scripts.staged, on: node)
      case .stop:
        stopped.append(node)
        try await execute(BackupScripts.stop, on: node)
      case .install:
        // An older k3s does not read what is there: nothing is started before the state has come.
        isApart = true
        try await worker.install(on: node)
      case .follow: try await follow(node, file, arguments)
      case .rejoin: try await execute(BackupScripts.rejoin(token: tokens, agentToken: agentToken), on: node)
      case .restore:
        isApart = true
        let script = scripts.restore(
          token: token, agentToken: agentToken, from: name.map { .bucket(name: $0) } ?? .file(sha256: manifest.sha256))
        let result = try await shell.run({ script }, on: node, deadline: 1_500)
        if result.status == NodeScript.Status.busy || result.output.hasSuffix("\(BackupScripts.isBack)\n") {
          isApart = version != nil
        }
        guard result.status == 0, result.output.hasSuffix("end\n") else { throw NodeFailure(node, result) }
        // They know the first one by what it makes of the token.
        tokens =
          result.output.split(separator: "\n").last { $0.hasPrefix("token ") }.map { String($0.dropFirst(6)) } ?? token
      }
    }
    try await lockedIfItAnswers(file) { _ in
      for (index, step) in runbook.steps.enumerated() {
        let began = context.uptime()
        guard let node = file.nodes.first(where: { $0.name == step.node }) else { continue }
        do {
          try await take(step, node)
        } catch let error where step.action == .follow && !(error is CancellationError) {
          left.append(node.name)
          context.complain("\(index + 1). \(step.node): \(error)")
          continue
        } catch {
          await goOn(stopped, isApart: isApart)
          throw error
        }
        context.say("\(index + 1). \(step.node): \(step.title): done (\(context.uptime() - began) s)")
      }
    }
    if !left.isEmpty {
      throw Failure(
        "restored; still with another k3s: \(left.joined(separator: ", ")): mend the reason above, remove /usr/local/bin/k3s "
          + "there, and bashupload deploy apply --only node/NAME brings the right one")
    }
    context.say("restored in \(context.uptime() - start) s; bashupload deploy apply makes sure of the rest")
    return 0
  }

  /// After a restore that ended early: who was stopped for it goes on, unless the first one may have another state by now; two
  /// clusters of one name would be worse than none.
  private func goOn(_ stopped: [NodeSpec], isApart: Bool) async {
    if isApart {
      let names = stopped.map(\.name).joined(separator: ", ")
      context.complain(
        "the restore has not ended\(names.isEmpty ? "" : "; k3s stays stopped on \(names)"): mend the reason and run restore again"
      )
      return
    }
    // Also when this run has been interrupted.
    await Task {
      for node in stopped {
        do {
          try await execute(BackupScripts.start, on: node)
          context.complain("\(node.name): k3s goes on with what it had")
        } catch {
          context.complain("\(node.name): k3s is stopped, and could not be started again: \(error)")
        }
      }
    }.value
  }

  /// The name of a snapshot, where the cluster still tells which there are.
  private func requireSnapshot(_ name: String, _ file: ClusterFile) async throws {
    guard isKnown, let all = try? await kubectl.snapshots(of: file), !all.isEmpty else { return }
    if all.contains(where: { $0.name == name && $0.isReady }) { return }
    throw Failure(
      "--snapshot \(name): the bucket \(SnapshotBucket(file).bucket) has none of this name; "
        + Spelling.hint(name, of: all.filter(\.isReady).map(\.name)))
  }

  /// The k3s of the backup, when a control node has another one: its data then goes back together with the binary.
  private func otherVersion(_ manifest: BackupManifest, _ file: ClusterFile, _ versions: [String: String]) throws
    -> String?
  {
    for node in file.controls {
      let there = versions[node.name] ?? ""
      if there == manifest.version { continue }
      if there.isEmpty {
        throw Failure("\(node.name) has no k3s: bashupload deploy apply --only node/\(node.name) brings it")
      }
      try requireFileOf(manifest, file, besides: node, there)
      return manifest.version
    }
    return nil
  }

  /// Edges whose k3s is newer than what the control plane will be, also when an earlier restore has brought that back already.
  /// - Parameter isBack: whether control nodes go back now: then an edge that does not answer is one of them.
  private func followers(_ manifest: BackupManifest, _ file: ClusterFile, isBack: Bool) async throws -> [NodeSpec] {
    var followers: [NodeSpec] = []
    for node in file.nodes where node.role == .edge {
      guard let there = try? await k3sVersion(node, tries: 1) else {
        if isBack { followers.append(node) }
        continue
      }
      guard let edge = K3sVersion(there), let control = K3sVersion(manifest.version), edge > control else { continue }
      try requireFileOf(manifest, file, besides: node, there)
      followers.append(node)
    }
    return followers
  }

  private func requireFileOf(
    _ manifest: BackupManifest, _ file: ClusterFile, besides node: NodeSpec, _ there: String
  ) throws {
    if file.kubernetes.version == manifest.version { return }
    throw Failure(
      "\(node.name) has k3s \(there), and the state is of \(manifest.version): k3s does not read the state of another "
        + "version safely; write kubernetes.k3s.version: \(manifest.version) with its sha256, and restore brings both back"
    )
  }

  private func k3sVersion(_ node: NodeSpec, tries: Int = SecureShell.tries) async throws -> String {
    let result = try await shell.run({ BackupScripts.version }, on: node, tries: tries)
    if result.status != 0 { throw NodeFailure(node, result) }
    return result.output.split(separator: "\n").first { $0.hasPrefix("k3s ") }.map { String($0.dropFirst(4)) } ?? ""
  }

  /// An edge to the k3s that the control plane has gone back to.
  private func follow(_ node: NodeSpec, _ file: ClusterFile, _ arguments: DeployArguments) async throws {
    guard let target = file.kubernetes.version.flatMap({ K3sVersion($0) }),
      try await k3sVersion(node) != target.description
    else { return }
    for control in file.controls { try await waitForNode(control, timeout: arguments.timeout) { _ in nil } }
    // What the service does is looked at by the apply that comes afterwards.
    var rest = arguments
    rest.flags.insert("--no-verify")
    try await upgrade(node, to: target, file, rest)
  }

  private func execute(_ script: String, on node: NodeSpec) async throws {
    let result = try await shell.run({ script }, on: node, deadline: 900)
    if result.status != 0 { throw NodeFailure(node, result) }
  }

  private static func write(_ data: Data, _ path: String) throws {
    // Never readable by others, not even for a moment.
    guard FileManager.default.createFile(atPath: path, contents: data, attributes: [.posixPermissions: 0o600]) else {
      throw Failure("\(path) cannot be written")
    }
  }
}
