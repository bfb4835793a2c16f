import UploadCore

/// One operator at a time: a Lease that exists while somebody applies.
struct DeployLock: Sendable {
  /// Longer than any apply with the longest wait; a crashed one does not lock for ever.
  static let seconds = 3_600

  private static let name = "bashupload-deploy"

  let kubectl: Kubectl
  let context: DeployContext

  /// Takes it, or says who has it.
  func take() async throws {
    if try await kubectl.create(lease(resourceVersion: nil)) { return }
    guard let current = try await kubectl.object("leases", Self.name) else {
      // Released in between.
      if try await kubectl.create(lease(resourceVersion: nil)) { return }
      throw DeployCommand.Failure("another deploy has just begun: try again when it has ended")
    }
    let holder = current.value.at("spec", "holderIdentity")?.string ?? "somebody"
    let since = current.value.at("spec", "acquireTime")?.string ?? "an unknown time"
    guard let began = Self.seconds(of: since), context.now() - began > Self.seconds else {
      throw DeployCommand.Failure(
        "\(holder) is deploying since \(since): wait, or if that is over, "
          + "kubectl --namespace \(Kubectl.namespace) delete lease \(Self.name)")
    }
    let version = current.value.at("metadata", "resourceVersion")?.string
    guard try await kubectl.replace(lease(resourceVersion: version)) else {
      throw DeployCommand.Failure("another deploy has just begun: try again when it has ended")
    }
    context.say("the lock of \(holder), taken at \(since), is too old and has been taken over")
  }

  /// Gives it back, if it is still ours.
  func release() async throws {
    let current = try await kubectl.object("leases", Self.name)
    if let current, current.value.at("spec", "holderIdentity")?.string == context.operatorName {
      try await kubectl.delete([current])
    }
  }

  private func lease(resourceVersion: String?) -> KubernetesObject {
    var metadata: [String: JSONValue] = ["name": .string(Self.name), "namespace": .string(Kubectl.namespace)]
    if let resourceVersion { metadata["resourceVersion"] = .string(resourceVersion) }
    let time = Timestamp(seconds: Int64(context.now())).rfc3339
    // A Lease wants microseconds.
    let micro = time.hasSuffix("Z") ? "\(time.dropLast()).000000Z" : time
    return KubernetesObject([
      "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": .object(metadata),
      "spec": [
        "holderIdentity": .string(context.operatorName), "acquireTime": .string(micro), "renewTime": .string(micro),
        "leaseDurationSeconds": .integer(Int64(Self.seconds)),
      ],
    ])
  }

  private static func seconds(of text: String) -> Int? { KubernetesTime.seconds(text) }
}
