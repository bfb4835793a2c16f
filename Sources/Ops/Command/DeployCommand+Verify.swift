import FoundationEssentials

extension DeployCommand {
  /// Whether every check is good. Just after a rollout an edge may still be starting, so failures are tried again until
  /// the deadline, at most a minute.
  func verified(_ file: ClusterFile, _ arguments: DeployArguments) async throws -> Bool {
    let verifier = try await verifier(file)
    let start = context.uptime()
    while true {
      let checks = try await verifier.checks()
      // One that was interrupted says nothing of the service.
      try Task.checkCancellation()
      let isGood = checks.allSatisfy(\.isGood)
      if isGood || context.uptime() - start >= min(60, arguments.timeout) {
        for check in checks { context.say(check.line) }
        return isGood
      }
      try await context.sleep(5)
    }
  }

  func verifier(_ file: ClusterFile) async throws -> Verifier {
    Verifier(
      file: file,
      probe: Probe(
        runner: context.runner, domain: file.domain,
        isInsecure: file.certificates.issuer == .letsEncryptStaging, password: try await password(file)),
      kubectl: kubectl, now: context.now())
  }

  private func password(_ file: ClusterFile) async throws -> String? {
    guard let reference = file.password else { return nil }
    let reader = SecretReader(kubectl: kubectl, variables: context.variables)
    guard let encoded = try await reader.value(reference), let data = Data(base64Encoded: encoded) else {
      throw Failure("policy.password: \(reference) is not there or empty")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
