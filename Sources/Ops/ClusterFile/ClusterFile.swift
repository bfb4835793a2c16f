import UploadCore

/// The whole installation, as the cluster file says it: valid, with every default filled in.
package struct ClusterFile: Sendable {
  package var cluster: String
  package var domain: String
  package var image: ImageReference
  package var policy: UploadPolicy
  /// The MyUrls service, when short URLs are on.
  package var shortURLService: String?
  /// Seconds that transfers may go on when their pod has to end.
  package var shutdownGrace: Int
  package var password: SecretReference?
  package var storage: BucketStorage
  package var ingress: Ingress
  package var certificates: Certificates
  package var dns: DNSSettings?
  package var mesh: Mesh
  package var kubernetes: KubernetesSettings
  package var access: Access
  package var cleanupSchedule: String
  package var nodes: [NodeSpec]
  package var features: Features

  /// The nodes that serve.
  package var edges: [NodeSpec] { nodes.filter { $0.role != .control } }

  /// The nodes that run the cluster.
  package var controls: [NodeSpec] { nodes.filter { $0.role != .edge } }
}
