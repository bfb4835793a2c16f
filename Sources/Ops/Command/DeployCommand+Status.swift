extension DeployCommand {
  func status(_ arguments: DeployArguments) async throws -> Int32 {
    let file = await present(try clusterFile(arguments))
    var survey = NodeSurvey()
    for round in 0... {
      // Certificates and reboots are a matter of days.
      if arguments.part.hasNodes, round % 60 == 0 {
        let nodes = arguments.part.node.map { name in file.nodes.filter { $0.name == name } } ?? file.nodes
        survey = try await looker(file).glance(nodes)
      }
      let status = try await clusterStatus(file, survey)
      if arguments.flags.contains("--json") {
        context.say(status.json.json)
      } else {
        for line in status.lines { context.say(line) }
      }
      guard arguments.flags.contains("--watch") else { return 0 }
      try await context.sleep(5)
      context.say("")
    }
    return 0
  }

  private func clusterStatus(_ file: ClusterFile, _ survey: NodeSurvey) async throws -> ClusterStatus {
    ClusterStatus(
      file: file, nodes: try await kubectl.get("nodes", namespace: nil),
      pods: try await kubectl.get(
        "pods", selector: "app.kubernetes.io/name=bashupload,app.kubernetes.io/component=edge"),
      daemonSet: try await kubectl.object("daemonsets", "bashupload"),
      certificate: try await kubectl.object("certificates.cert-manager.io", "bashupload-wildcard"),
      cleanup: try await kubectl.object("cronjobs", "bashupload-cleanup"), survey: survey, now: context.now())
  }

  func doctor(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    let findings = Doctor(file: file, facts: try await doctorFacts(file), now: context.now()).findings
    if arguments.flags.contains("--json") {
      context.say(JSONValue.array(findings.map { ["check": .string($0.check), "text": .string($0.text)] }).json)
    } else {
      for finding in findings { context.say("\(finding.check): \(finding.text)") }
      context.say(findings.isEmpty ? "nothing found" : "\(findings.count) found")
    }
    return findings.isEmpty ? 0 : 1
  }

  private func doctorFacts(_ file: ClusterFile) async throws -> Doctor.Facts {
    Doctor.Facts(
      server: try await kubectl.serverVersion(), nodes: try await kubectl.get("nodes", namespace: nil),
      pods: try await kubectl.get("pods", namespace: nil),
      daemonSets: try await kubectl.get("daemonsets", namespace: nil),
      namespaces: try await kubectl.get("namespaces", namespace: nil),
      leases: try await kubectl.get("leases", namespace: "kube-node-lease"),
      certificate: try await kubectl.object("certificates.cert-manager.io", "bashupload-wildcard"),
      events: try await kubectl.get("events", namespace: nil),
      secrets: try await kubectl.secretKeys(), snapshots: try await kubectl.snapshots(of: file),
      owned: try await kubectl.live(try await kubectl.owned().map(\.bare)).objects)
  }

  func destroy(_ arguments: DeployArguments) async throws -> Int32 {
    let file = try clusterFile(arguments)
    try await kubectl.requireOwn(file)
    // cert-manager may serve others by now.
    let owned = try await kubectl.owned().filter { object in
      object.namespace != "cert-manager" && object.name != "cert-manager"
    }
    let secrets = try await kubectl.get("secrets", namespace: nil, selector: "bashupload.app/cluster")
    context.say("destroy removes from the cluster, and nobody can bring back:")
    for object in (owned + secrets).sorted(by: { $0.identity < $1.identity }) { context.say("- \(object.identity)") }
    context.say("- Namespace \(Kubectl.namespace), with everything in it: the certificate, the generations of rollback")
    context.say(
      "The service at \(file.domain) ends. The bucket \(file.storage.bucket), its files, the DNS records, "
        + "cert-manager and the nodes stay as they are.")
    let typed = arguments.values["--confirm"] ?? context.ask("type the domain to go on:") ?? ""
    guard typed == file.domain else {
      throw Failure("nothing has been removed: the domain was not typed (or given with --confirm \(file.domain))")
    }
    try await locked {
      try await kubectl.delete(owned.filter { $0.kind != "Namespace" }.reversed())
      try await kubectl.delete(secrets + (try await kubectl.applySets()))
      try await kubectl.delete(owned.filter { $0.kind == "Namespace" && $0.name != Kubectl.namespace })
      try await kubectl.delete([
        KubernetesObject(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(Kubectl.namespace)]])
      ])
    }
    context.say("removed")
    return 0
  }
}
