import FoundationEssentials

extension DeployCommand {
  /// Just after a rollout an edge may still be starting: failures are tried again for so long, and no longer than the deadline.
  private static let patience = 60
  /// The kubelet brings a new certificate to a pod within a minute and a half.
  private static let patienceWithCertificates = 180

  /// Whether every check is good.
  /// - Parameter isStrict: with those for which what was applied a moment ago is not to blame.
  func verified(_ file: ClusterFile, _ arguments: DeployArguments, isStrict: Bool = true) async throws -> Bool {
    let verifier = try await verifier(file)
    let start = context.uptime()
    while true {
      let checks = try await verifier.checks()
      // One that was interrupted says nothing of the service.
      try Task.checkCancellation()
      let failed = checks.filter { $0.fails(isStrict: isStrict) }
      let patience = failed.contains(where: \.isOfCertificate) ? Self.patienceWithCertificates : Self.patience
      if failed.isEmpty || context.uptime() - start >= min(patience, arguments.timeout) {
        for check in checks { context.say(check.line(isStrict: isStrict)) }
        return failed.isEmpty
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
    guard let encoded = try await reader.value(reference, of: "policy.password"),
      let data = Data(base64Encoded: encoded)
    else {
      throw Failure("policy.password: \(reference) is not there or empty")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
