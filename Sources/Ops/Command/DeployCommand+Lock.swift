/// One operator at a time.
extension DeployCommand {
  /// Whether kubectl reaches the cluster of the file: without a name it could reach some other one.
  var isKnown: Bool { context.variables["KUBECONFIG"] != nil }

  /// Runs `body` under the lock, which is given back also when it fails or is interrupted. Within another one it is that one.
  func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
    if DeployLock.held != nil { return try await body() }
    let lock = DeployLock(kubectl: kubectl, context: context)
    try await lock.take()
    return try await hold(lock, body)
  }

  /// As `locked`, for what is done over ssh: a cluster that does not answer has nobody to ask, and what is done may be what brings
  /// it back.
  /// - Parameter body: gets whether the lock has been taken for it, so that somebody else may have been at work until now.
  func lockedIfItAnswers<Result>(_ file: ClusterFile, _ body: (_ isTaken: Bool) async throws -> Result) async throws
    -> Result
  {
    guard DeployLock.held == nil, isKnown else { return try await body(false) }
    let lock = DeployLock(kubectl: kubectl, context: context)
    do {
      try await kubectl.requireOwn(file)
      try await lock.take()
    } catch let error where error is KubectlError || error is CommandError {
      try Task.checkCancellation()
      context.complain(
        "\((error as? KubectlError)?.brief ?? "\(error)"): where the cluster does not answer, nobody is kept from deploying at the same time"
      )
      return try await body(false)
    }
    return try await hold(lock) { try await body(true) }
  }

  private func hold<Result>(_ lock: DeployLock, _ body: () async throws -> Result) async throws -> Result {
    let result: Result
    do {
      try Task.checkCancellation()
      result = try await DeployLock.$held.withValue(lock) { try await body() }
    } catch {
      await lock.release()
      throw error
    }
    await lock.release()
    return result
  }
}
