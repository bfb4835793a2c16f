/// k3s.
package struct KubernetesSettings: Sendable {
  /// Where the cluster keeps its state.
  package enum Datastore: String, Sendable { case etcd, sqlite }

  /// Where snapshots go.
  package enum SnapshotPlace: String, Sendable { case r2, local }

  /// More arguments of the parts of Kubernetes, each `name=value`.
  package struct Arguments: Sendable {
    package var kubelet: [String] = []
    package var apiserver: [String] = []
    package var etcd: [String] = []
  }

  package var version: String?
  /// Digests of the binary by architecture.
  package var sha256: [String: String]
  /// Binaries on the machine that runs deploy, by architecture: nothing is downloaded then.
  package var binaries: [String: String]
  /// Where nodes download the binary; {version} and {binary} are replaced.
  package var url: String
  package var datastore: Datastore
  /// Addresses of pods and of Services, IPv4.
  package var podNetwork: IPNetwork
  package var serviceNetwork: IPNetwork
  /// Seconds.
  package var snapshotEvery: Int64
  package var snapshotKeep: Int
  package var snapshotTo: SnapshotPlace
  /// Another bucket than the one whose name follows from storage.
  package var snapshotBucket: String?
  package var arguments: Arguments

  /// Whether snapshots of etcd go to the bucket.
  var savesToBucket: Bool { datastore == .etcd && snapshotTo == .r2 }
}
