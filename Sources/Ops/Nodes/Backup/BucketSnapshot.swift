/// A snapshot of etcd in a bucket, as k3s records it: ETCDSnapshotFile of k3s.cattle.io/v1
/// (https://docs.k3s.io/cli/etcd-snapshot).
package struct BucketSnapshot: Sendable {
  package static let kind = "etcdsnapshotfiles.k3s.cattle.io"

  /// As `k3s etcd-snapshot ls` shows it.
  package var name: String
  /// Seconds since 1970.
  package var time: Int?
  package var isReady: Bool
  /// Why it could not be made.
  package var error: String?

  /// `nil`: it is a file of a node.
  package init?(_ object: KubernetesObject) {
    guard object.value.at("spec", "s3") != nil, let name = object.value.at("spec", "snapshotName")?.string else {
      return nil
    }
    self.name = name
    time = object.value.at("status", "creationTime")?.string.flatMap { KubernetesTime.seconds($0) }
    isReady = object.value.at("status", "readyToUse")?.bool == true
    error = isReady ? nil : object.value.at("status", "error", "message")?.string
  }
}

extension Kubectl {
  /// Those that k3s knows of.
  func snapshots() async throws -> [BucketSnapshot] {
    try await get(BucketSnapshot.kind, namespace: nil).compactMap(BucketSnapshot.init)
  }
}
