/// A snapshot of etcd in a bucket, as k3s records it: ETCDSnapshotFile of k3s.cattle.io/v1
/// (https://docs.k3s.io/cli/etcd-snapshot).
package struct BucketSnapshot: Sendable {
  package static let kind = "etcdsnapshotfiles.k3s.cattle.io"

  /// As `k3s etcd-snapshot ls` shows it.
  package var name: String
  /// Seconds since 1970.
  package var time: Int?
  package var isReady: Bool
  /// Where it is.
  package var bucket: String?
  package var folder: String?
  /// Why it could not be made.
  package var error: String?

  /// `nil`: it is a file of a node.
  package init?(_ object: KubernetesObject) {
    guard let place = object.value.at("spec", "s3"), let name = object.value.at("spec", "snapshotName")?.string else {
      return nil
    }
    self.name = name
    bucket = place["bucket"]?.string
    folder = place["prefix"]?.string
    time = object.value.at("status", "creationTime")?.string.flatMap { KubernetesTime.seconds($0) }
    isReady = object.value.at("status", "readyToUse")?.bool == true
    error = isReady ? nil : object.value.at("status", "error", "message")?.string
  }
}

extension Kubectl {
  /// Those that k3s knows of, where the file wants them: after a move it knows of the old ones for a while.
  func snapshots(of file: ClusterFile) async throws -> [BucketSnapshot] {
    let place = SnapshotBucket(file)
    return try await get(BucketSnapshot.kind, namespace: nil).compactMap(BucketSnapshot.init).filter {
      $0.bucket == place.bucket && ($0.folder ?? place.folder) == place.folder
    }
  }
}
