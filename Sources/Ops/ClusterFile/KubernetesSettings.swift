/// k3s.
package struct KubernetesSettings: Sendable {
  /// Where the cluster keeps its state.
  package enum Datastore: String, Sendable { case etcd, sqlite }

  /// Where snapshots go.
  package enum SnapshotPlace: String, Sendable { case r2, local }

  package var version: String?
  /// Digests of the binary by architecture.
  package var sha256: [String: String]
  package var datastore: Datastore
  /// Seconds.
  package var snapshotEvery: Int64
  package var snapshotKeep: Int
  package var snapshotTo: SnapshotPlace
}
