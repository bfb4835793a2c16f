/// The proof that the service works: a real upload and real downloads through every edge.
struct Verifier: Sendable {
  /// One thing that was tried.
  struct Check: Sendable {
    var name: String
    var isGood: Bool
    var text: String
    /// Whether what was applied a moment ago may be to blame: not for a server that is away, or a run of the cleaner from before.
    var isBlocking = true

    /// A new certificate is not in every pod at once.
    var isOfCertificate: Bool { !isGood && (text.contains("SSL") || text.contains("certificate")) }

    /// - Parameter isStrict: whether everything has to be good.
    func fails(isStrict: Bool) -> Bool { !isGood && (isStrict || isBlocking) }

    func line(isStrict: Bool) -> String {
      "\(isGood ? "ok  " : fails(isStrict: isStrict) ? "FAIL" : "warn") \(name): \(text)"
    }
  }

  let file: ClusterFile
  let probe: Probe
  let kubectl: Kubectl
  let now: Int

  func checks() async throws -> [Check] {
    var checks: [Check] = []
    let network = NodeNetwork(file)
    let away = await away()
    for edge in file.edges {
      var check = await through(edge, and: partner(of: edge, away: away))
      // Where none is left, nobody serves.
      check.isBlocking = !away.contains(edge.name) || away.count >= file.edges.count
      if !check.isGood, away.contains(edge.name) { check.text = "the node is not ready; \(check.text)" }
      checks.append(check)
      // An edge that is silent takes a minute and more, and there may be many.
      try await DeployLock.held?.renew()
      // Elsewhere pods have no IPv6, and nobody listens there; `Advice` says so.
      if network.isDualStack, let address = edge.address6 { checks.append(await answers(edge, at: address)) }
    }
    var cleanup: Check
    do {
      cleanup = try await self.cleanup()
    } catch let error as KubectlError {
      cleanup = Check(name: "cleanup", isGood: false, text: error.brief)
    }
    cleanup.isBlocking = false
    checks.append(cleanup)
    return checks
  }

  /// Edges that the cluster does not hear of. When it does not answer, none is known to be away.
  func away() async -> Set<String> { (try? await kubectl.edgesAway()) ?? [] }

  /// The next edge that may answer: a download by one that is away says nothing of this one.
  func partner(of edge: NodeSpec, away: Set<String>) -> NodeSpec {
    let edges = file.edges
    let index = edges.firstIndex { $0.name == edge.name } ?? 0
    return (edges.dropFirst(index + 1) + edges.prefix(index)).first { !away.contains($0.name) } ?? edge
  }

  /// Up by one edge, down by another, and then no more.
  func through(_ edge: NodeSpec, and other: NodeSpec) async -> Check {
    let text = "bashupload deploy verify \(UInt64.random(in: 0...UInt64.max))"
    do {
      let up = try await probe.put(text, name: "verify.txt", at: edge.address)
      let url = up.body.split(separator: "\n").first.map(String.init) ?? ""
      guard up.status == 200, url.hasPrefix("https://\(file.domain)/") else {
        return Check(name: edge.name, isGood: false, text: "upload answered \(up.status) \(Self.short(up.body))")
      }
      let down = try await probe.get(url, at: other.address)
      guard down.status == 200, down.body == text else {
        return Check(
          name: edge.name, isGood: false,
          text: "download by \(other.name) answered \(down.status) \(Self.short(down.body))")
      }
      let again = try await probe.get(url, at: edge.address)
      guard again.status == 410 else {
        return Check(name: edge.name, isGood: false, text: "a second download answered \(again.status), not 410")
      }
      return Check(
        name: edge.name, isGood: true,
        text: "certificate, upload, download by \(other.name), second download refused")
    } catch {
      return Check(name: edge.name, isGood: false, text: "\(error)")
    }
  }

  /// The other address of an edge reaches the same service. (Not every operator has IPv6: that is no fault of the edge.)
  private func answers(_ edge: NodeSpec, at address: IPAddress) async -> Check {
    let name = "\(edge.name) IPv6"
    do {
      let answer = try await probe.get("https://\(file.domain)/api/config", at: address)
      let isGood = answer.status == 200
      return Check(name: name, isGood: isGood, text: isGood ? "certificate, answer" : "answered \(answer.status)")
    } catch {
      let isUnreachable = error.description.contains("Network is unreachable")
      return Check(
        name: name, isGood: isUnreachable, text: isUnreachable ? "not tried, this machine has no IPv6" : "\(error)")
    }
  }

  private func cleanup() async throws -> Check {
    guard let job = try await kubectl.object("cronjobs", "bashupload-cleanup") else {
      return Check(name: "cleanup", isGood: false, text: "the CronJob bashupload-cleanup is not there")
    }
    if job.value.at("spec", "suspend")?.bool == true {
      return Check(name: "cleanup", isGood: false, text: "the CronJob is suspended: nothing that expires is removed")
    }
    let good = job.value.at("status", "lastSuccessfulTime")?.string
    let runs = try await kubectl.get("jobs", selector: "app.kubernetes.io/component=cleanup")
    let last = runs.max { Self.created($0) < Self.created($1) }
    if let last, Self.hasFailed(last) {
      return Check(
        name: "cleanup", isGood: false,
        text: "the last run failed: kubectl --namespace \(Kubectl.namespace) logs job/\(last.name)")
    }
    let age = good.map { "last good run \(KubernetesTime.age($0, now: now)) ago" }
    let schedule = job.value.at("spec", "schedule")?.string ?? file.cleanupSchedule
    let since = KubernetesTime.seconds(good ?? Self.created(job))
    if let since, now - since > CleanupSchedule(schedule).patience {
      let text = age ?? "no good run since it was made \(KubernetesTime.age(Self.created(job), now: now)) ago"
      return Check(
        name: "cleanup", isGood: false,
        text: "\(text), and the schedule is \(schedule): kubectl --namespace \(Kubectl.namespace) describe "
          + "cronjob/bashupload-cleanup")
    }
    return Check(name: "cleanup", isGood: true, text: age ?? "has not run yet")
  }

  /// All its pods have failed: one that failed may be followed by one that does not.
  private static func hasFailed(_ job: KubernetesObject) -> Bool {
    job.value.at("status", "conditions")?.array.contains {
      $0["type"]?.string == "Failed" && $0["status"]?.string == "True"
    } == true
  }

  private static func created(_ object: KubernetesObject) -> String {
    object.value.at("metadata", "creationTimestamp")?.string ?? ""
  }

  private static func short(_ text: String) -> String {
    String(text.split(separator: "\n").joined(separator: " ").prefix(120))
  }
}
