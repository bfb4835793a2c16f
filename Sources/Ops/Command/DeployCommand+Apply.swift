extension DeployCommand {
  var kubectl: Kubectl { Kubectl(context.runner) }

  func plan(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    let nodes = arguments.part.hasNodes ? try await planNodes(file, arguments) : NodesOutcome()
    var plan: ClusterPlan?
    var registered: [String] = []
    if arguments.part.hasKubernetes, !nodes.isBeforeTheCluster {
      if arguments.part.hasNodes {
        registered = registrations(of: file.nodes, file, try await kubectl.get("nodes", namespace: nil)).flatMap(
          \.lines)
      }
      plan = try await FactFinder(kubectl: kubectl, variables: context.variables).plan(file).plan
    }
    if arguments.flags.contains("--json") {
      var json = plan?.json ?? [:]
      json["nodes"] = arguments.part.hasNodes ? nodes.json : nil
      json["nodes"]?["registrations"] = .array(registered.map { .string($0) })
      context.say(json.json)
    } else {
      if arguments.part.hasNodes { (registered + nodes.lines).forEach(context.say) }
      if nodes.isBeforeTheCluster, arguments.part.hasKubernetes {
        context.say("the cluster does not run yet: what is in it is planned when it does")
      }
      for line in (plan?.lines ?? []) + Advice.unmanaged(file) { context.say(line) }
    }
    if !nodes.failures.isEmpty { return 1 }
    return nodes.isEmpty && registered.isEmpty && plan?.isEmpty != false ? 0 : 2
  }

  func apply(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    guard arguments.part.hasNodes else { return try await applyKubernetes(file, arguments) }
    let nodes = try await applyNodes(file, arguments)
    if let control = file.controls.first, nodes.failures.contains(where: { $0.node == control.name }) {
      throw Failure("\(control.name) is not as it should be: mend that and run apply again, it goes on from here")
    }
    var status: Int32 = 0
    if arguments.part.hasKubernetes {
      try await keepKubeconfig(file, nodes.kubeconfigs)
      let command = withKubeconfig(file)
      try await command.settleNodes(file, without: Set(nodes.failures.map(\.node)), timeout: arguments.timeout)
      status = try await command.applyKubernetes(file, arguments)
    }
    if !nodes.failures.isEmpty {
      let names = Set(nodes.failures.map(\.node)).sorted().joined(separator: ", ")
      throw Failure("not as they should be: \(names); all others are. Mend that and run apply again")
    }
    if arguments.part.hasKubernetes {
      try await withKubeconfig(file).proveSnapshots(file, arguments)
    } else {
      context.say(nodes.isEmpty ? "nothing to change" : "applied")
    }
    return status
  }

  func applyKubernetes(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> Int32 {
    let (plan, desired, secrets) = try await FactFinder(kubectl: kubectl, variables: context.variables).plan(file)
    for line in plan.lines { context.say(line) }
    if let obstacle = plan.obstacle { throw Failure("\(obstacle); nothing has been changed") }
    if !secrets.notes.isEmpty {
      throw Failure("secrets are missing:\n" + secrets.notes.map { "  \($0)" }.joined(separator: "\n"))
    }
    if plan.isEmpty {
      try await settle(file, desired, secrets, arguments)
    } else {
      try confirm("apply these changes?", arguments)
      try await execute(file, desired, secrets, arguments)
    }
    context.say(plan.isEmpty ? "nothing to change" : "applied")
    return 0
  }

  func confirm(_ question: String, _ arguments: DeployArguments) throws {
    if arguments.flags.contains("--yes") { return }
    guard let answer = context.ask("\(question) [yes/no]") else {
      throw Failure("nobody is here to ask: --yes applies without asking")
    }
    if !["y", "yes"].contains(answer.lowercased()) { throw Failure("nothing has been changed") }
  }

  private func execute(
    _ file: ClusterFile, _ desired: [KubernetesObject], _ secrets: SecretPlan, _ arguments: DeployArguments
  ) async throws {
    let applier = Applier(kubectl: kubectl, context: context, timeout: arguments.timeout)
    try await applier.applyNamespaces(desired)
    try await locked {
      try await applier.installCertManager(desired)
      let replaced = try await applier.applySecrets(secrets)
      try await applier.removeForeignFields(desired)
      try await applier.applyAll(desired)
      try await applier.wakeController()
      try await finish(file, desired, applier, arguments, replaced)
    }
  }

  /// An earlier run may have applied everything and not have seen the end of it: this one does. What has proven itself
  /// already stays as it is, whatever the check says today.
  private func settle(
    _ file: ClusterFile, _ desired: [KubernetesObject], _ secrets: SecretPlan, _ arguments: DeployArguments
  ) async throws {
    let replaced = try await ReplacedSecrets(secrets, kubectl: kubectl)
    let last = try await Generations(kubectl: kubectl, context: context).all().last
    if last?.objects == KubernetesObject.stream(desired) {
      if try await proven(file, arguments) { return try await forget(replaced, file, arguments) }
      throw Failure(
        "nothing has been changed, and the check failed: bashupload deploy doctor looks for the usual reasons, "
          + "bashupload deploy rollback goes back")
    }
    let applier = Applier(kubectl: kubectl, context: context, timeout: arguments.timeout)
    try await locked { try await finish(file, desired, applier, arguments, replaced) }
  }

  /// Only what runs and serves becomes a generation: those are what a rollback goes back to.
  private func finish(
    _ file: ClusterFile, _ desired: [KubernetesObject], _ applier: Applier, _ arguments: DeployArguments,
    _ replaced: ReplacedSecrets
  ) async throws {
    do {
      try await applier.waitUntilItRuns()
    } catch let failure as Wait.Failure {
      try await giveUp(failure.description, applier, replaced)
    }
    if try await !proven(file, arguments) {
      try await giveUp("the pods run, and the check failed", applier, replaced)
    }
    try await Generations(kubectl: kubectl, context: context).record(desired, note: file.image.description)
    try await forget(replaced, file, arguments)
  }

  /// What runs and serves has proven its keys, and says nothing of cert-manager's token: that one is tried by itself.
  private func forget(_ replaced: ReplacedSecrets, _ file: ClusterFile, _ arguments: DeployArguments) async throws {
    let token = replaced.only(Self.cloudflareSecret)
    try await replaced.only(Self.cloudflareSecret, isOther: true).forget()
    if !token.isEmpty, !arguments.flags.contains("--no-verify"), let proof = RotationProof(file, id: context.now()) {
      context.say("cert-manager has another token, and has to get a certificate for \(proof.name) with it")
      try await prove(proof, token, file, arguments)
    }
    try await token.forget()
  }

  private func proven(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> Bool {
    if arguments.flags.contains("--no-verify") { return true }
    return try await verified(file, arguments, isStrict: false)
  }

  private func explain(_ reason: String) async {
    context.complain(reason)
    for line in await Diagnosis(kubectl: kubectl).lines() { context.complain(line) }
  }

  /// Says why, brings the last version that ran back with the credentials that it had, and says how to continue.
  private func giveUp(_ reason: String, _ applier: Applier, _ replaced: ReplacedSecrets) async throws {
    await explain(reason)
    // What an interruption has broken is no fault of the version.
    try Task.checkCancellation()
    guard let last = try await Generations(kubectl: kubectl, context: context).all().last else {
      throw Failure(
        "there is no earlier generation to go back to; mend the reason above and run apply again, it goes on from here")
    }
    context.complain("going back to generation \(last.number) (\(last.note))")
    let objects = try KubernetesObject.parse(json: last.objects)
    try await applier.applyNamespaces(objects)
    try await applier.restore(replaced)
    try await applier.applyAll(objects)
    do {
      try await Rollout(kubectl: kubectl, context: context, timeout: applier.timeout).waitForPods()
    } catch {
      throw Failure(
        "generation \(last.number) does not run either (\(error)): bashupload deploy doctor looks for the usual reasons"
      )
    }
    throw Failure("rolled back to generation \(last.number), which runs; mend the reason above and run apply again")
  }

  func rollback(_ arguments: DeployArguments) async throws -> Int32 {
    try await kubectl.requireOwn(try clusterFile(arguments))
    let generations = Generations(kubectl: kubectl, context: context)
    let all = try await generations.all()
    let known = all.map { "  \($0.number)  \($0.note)" }.joined(separator: "\n")
    let wanted = arguments.operand.flatMap { Int($0) } ?? (all.last.map { $0.number - 1 } ?? 0)
    guard let target = all.first(where: { $0.number == wanted }) else {
      throw Failure(
        all.isEmpty ? "no generation is kept: apply makes them" : "no generation \(wanted); kept are:\n\(known)")
    }
    context.say("back to generation \(target.number): \(target.note)")
    try confirm("apply it?", arguments)
    let applier = Applier(kubectl: kubectl, context: context, timeout: arguments.timeout)
    let objects = try KubernetesObject.parse(json: target.objects)
    try await locked {
      try await applier.applyNamespaces(objects)
      try await applier.applyAll(objects)
      do {
        try await applier.waitUntilItRuns()
      } catch let failure as Wait.Failure {
        await explain(failure.description)
        throw Failure(
          "generation \(target.number) is applied and does not run; mend the reason above, or go to another one with "
            + "bashupload deploy rollback N; kept are:\n\(known)")
      }
      try await generations.record(objects, note: "rollback to \(target.number)")
    }
    context.say(
      "generation \(target.number) runs again; the cluster file still says otherwise: plan shows the difference")
    return 0
  }
}
