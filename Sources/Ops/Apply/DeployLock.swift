import Synchronization
import UploadCore

/// One operator at a time: a Lease that exists while somebody applies. It is renewed while things are waited for, so one that
/// was left behind is known by its age.
final class DeployLock: Sendable {
  /// Longer than the longest step without a wait; a run that was killed does not lock for ever.
  static let seconds = 1_800
  private static let renewEvery = 60

  /// The one under which the current task works.
  @TaskLocal static var held: DeployLock?

  private static let name = "bashupload-deploy"
  /// One that is there as soon as there is a cluster, and stays.
  private static let namespace = "kube-system"

  private let kubectl: Kubectl
  private let context: DeployContext
  /// Two runs of the same person are two holders.
  private let holder: String
  private let renewed: Mutex<Int>

  init(kubectl: Kubectl, context: DeployContext) {
    self.kubectl = kubectl
    self.context = context
    holder = "\(context.operatorName)/\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    renewed = Mutex(context.uptime())
  }

  /// Takes it, or says who has it. Not interrupted halfway: then nobody would know whether it is taken.
  func take() async throws {
    try await Task { try await self.acquire() }.value
  }

  /// Gives it back, if it is still ours; also when the work has been interrupted. The API server may be away for a moment: what has
  /// been done was done to its node.
  func release() async {
    let tries = Task.isCancelled ? 1 : 6
    await Task {
      for attempt in 1... {
        do {
          if let current = try await self.current, Self.holder(of: current) == self.holder {
            try await self.kubectl.delete([current])
          }
          return
        } catch  where attempt < tries {
          try? await self.context.sleep(5)
        } catch {
          return self.context.complain(
            "the lock could not be given back (\((error as? KubectlError)?.brief ?? "\(error)")): when the cluster answers again, "
              + "kubectl --namespace \(Self.namespace) delete lease \(Self.name), or it ends by itself in half an hour")
        }
      }
    }.value
  }

  /// Says that the work goes on, now and then.
  ///
  /// - Throws: `DeployCommand.Failure` when somebody else has it meanwhile: two must not go on.
  func renew() async throws {
    let now = context.uptime()
    if now - renewed.withLock({ $0 }) < Self.renewEvery { return }
    // What cannot be asked now is asked at the next look; the lock is good for much longer.
    guard let current = try? await current else { return }
    guard Self.holder(of: current) == holder else {
      throw DeployCommand.Failure(
        "\(Self.person(current)) has taken the lock over: this run stops here; when the other one has ended, run it again"
      )
    }
    let lease = lease(
      acquired: current.value.at("spec", "acquireTime")?.string, version: Self.version(of: current))
    if (try? await kubectl.replace(lease)) == true { renewed.withLock { $0 = now } }
  }

  private func acquire() async throws {
    if try await kubectl.create(lease()) { return }
    guard let current = try await current else {
      // Released in between.
      if try await kubectl.create(lease()) { return }
      throw DeployCommand.Failure("another deploy has just begun: try again when it has ended")
    }
    let person = Self.person(current)
    let since = current.value.at("spec", "acquireTime")?.string ?? "an unknown time"
    let seen = current.value.at("spec", "renewTime")?.string ?? since
    guard let last = KubernetesTime.seconds(seen), context.now() - last > Self.seconds else {
      throw DeployCommand.Failure(
        "\(person) is deploying since \(since): wait, or if that is over, "
          + "kubectl --namespace \(Self.namespace) delete lease \(Self.name)")
    }
    guard try await kubectl.replace(lease(version: Self.version(of: current))) else {
      throw DeployCommand.Failure("another deploy has just begun: try again when it has ended")
    }
    context.say("the lock of \(person), last seen at \(seen), is too old and has been taken over")
  }

  private var current: KubernetesObject? {
    get async throws { try await kubectl.object("leases", Self.name, namespace: Self.namespace) }
  }

  private static func holder(of lease: KubernetesObject) -> String? { lease.value.at("spec", "holderIdentity")?.string }

  private static func version(of lease: KubernetesObject) -> String? {
    lease.value.at("metadata", "resourceVersion")?.string
  }

  /// Without the part that only tells runs apart.
  private static func person(_ lease: KubernetesObject) -> String {
    holder(of: lease)?.split(separator: "/").first.map(String.init) ?? "somebody"
  }

  private func lease(acquired: String? = nil, version: String? = nil) -> KubernetesObject {
    var metadata: [String: JSONValue] = ["name": .string(Self.name), "namespace": .string(Self.namespace)]
    if let version { metadata["resourceVersion"] = .string(version) }
    let time = Timestamp(seconds: Int64(context.now())).rfc3339
    // A Lease wants microseconds.
    let micro = time.hasSuffix("Z") ? "\(time.dropLast()).000000Z" : time
    return KubernetesObject([
      "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": .object(metadata),
      "spec": [
        "holderIdentity": .string(holder), "acquireTime": .string(acquired ?? micro), "renewTime": .string(micro),
        "leaseDurationSeconds": .integer(Int64(Self.seconds)),
      ],
    ])
  }
}
