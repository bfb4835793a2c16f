import FoundationEssentials

/// Keys that somebody else has made: the cluster file names where they are. Each is tried where it is used, by what uses it,
/// before the operator is told that the old one may go; one that does not work is taken out of the cluster again.
extension DeployCommand {
  /// The keys of the bucket: of the pods, and of the snapshots of etcd.
  func rotateBucketKeys(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    try await kubectl.requireOwn(file)
    let reader = SecretReader(kubectl: kubectl, variables: context.variables)
    let wanted = try await reader.value(file.storage.accessKeyID, of: "storage.r2.accessKeyID")
    let before = try await kubectl.object("secrets", "bashupload-r2")?.value.at("data", "R2_ACCESS_KEY_ID")?.string
    let isNew = wanted != nil && before != nil && wanted != before
    context.say(
      isNew
        ? "the pods get the keys of the bucket that the file names, one edge after the other; the old ones have to work "
          + "until the end"
        : "the pods have the key of \(file.storage.accessKeyID) already: what an earlier run has left to do is done")
    // Pods first: if the keys are wrong for them, apply puts the old ones back and the control nodes keep theirs.
    _ = try await applyKubernetes(file, arguments)
    try await bringToControlNodes(file, arguments)
    let old = isNew ? before.flatMap(Self.decoded) : nil
    context.say(
      old.map { "nothing uses the key \($0) any more: delete it at Cloudflare (R2, Manage API tokens)" }
        ?? "everything uses the key \(wanted.flatMap(Self.decoded) ?? "") of \(file.storage.accessKeyID): an older one can be "
        + "deleted at Cloudflare (R2, Manage API tokens)")
    return 0
  }

  private static func decoded(_ text: String) -> String? {
    Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) }
  }

  /// k3s reads the keys when it starts, and says nothing about them until a snapshot is due: so one is taken. Edges have no
  /// keys: one that is away does not keep the old ones alive.
  private func bringToControlNodes(_ file: ClusterFile, _ arguments: DeployArguments) async throws {
    guard file.kubernetes.savesToBucket, let first = file.controls.first else { return }
    if let note = Advice.snapshots(file) { return context.say("note: \(note)") }
    let nodes = try await applyNodes(file.controls, file, arguments)
    if !nodes.failures.isEmpty {
      throw Failure(
        "not as they should be: \(nodes.failures.map(\.node).joined(separator: ", ")); leave the old keys alone, mend that "
          + "and run rotate r2 again")
    }
    let advice = "leave the old keys alone: snapshots with the new ones do not work; mend that and run rotate r2 again"
    let made = try await saveSnapshot(named: "rotate", of: file, on: first, advice, deadline: arguments.timeout)
    // Old ones have to be removed with these keys as well, or the bucket grows.
    if BackupScripts.isSnapshotName(made.name) {
      try await onNode(first, "k3s etcd-snapshot delete \(made.name) >/dev/null")
    }
  }

  /// The token with which cert-manager proves that the domain is ours.
  func rotateCloudflareToken(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    guard let reference = file.certificates.cloudflareToken, let proof = RotationProof(file, id: context.now()) else {
      throw Failure("the file has no certificates.dns01.cloudflare.apiToken: no token of Cloudflare is in the cluster")
    }
    try await kubectl.requireOwn(file)
    var secrets = try await SecretReader(kubectl: kubectl, variables: context.variables).plan(file)
    secrets.wanted = secrets.wanted.filter { $0.name == Self.cloudflareSecret }
    secrets.notes = secrets.notes.filter { $0.hasPrefix("certificates.dns01.") }
    context.say(
      "cert-manager gets the token of \(reference), and has to get a certificate for \(proof.name) with it"
        + (proof.isStaging ? ", from Let's Encrypt's staging service" : ""))
    try confirm("replace the token?", arguments)
    let plan = secrets
    try await locked {
      let replaced = try await Applier(kubectl: kubectl, context: context, timeout: arguments.timeout).applySecrets(
        plan)
      try await prove(proof, replaced, file, arguments)
      try await replaced.forget()
    }
    context.say("certificates come with the new token: delete the old one at Cloudflare (My Profile, API Tokens)")
    return 0
  }

  static let cloudflareSecret = "bashupload-cloudflare"

  /// Tries the token that is there; one that does not work is replaced by that of before.
  func prove(
    _ proof: RotationProof, _ replaced: ReplacedSecrets, _ file: ClusterFile, _ arguments: DeployArguments
  ) async throws {
    do {
      try await proof.run(kubectl, context, deadline: arguments.timeout)
    } catch let failure as Wait.Failure {
      try await Applier(kubectl: kubectl, context: context, timeout: arguments.timeout).restore(replaced)
      throw Failure(
        "\(failure)\nthe token of \(file.certificates.cloudflareToken.map { "\($0)" } ?? "Cloudflare") needs Zone: Zone: Read and Zone: DNS: Edit for \(file.domain), and the "
          + "addresses of the nodes if it is bound to any"
          + (replaced.isEmpty ? "" : "; the old one is back, leave it alone"))
    }
  }
}
