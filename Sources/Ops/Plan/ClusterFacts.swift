/// What was found: everything that a plan needs to know of the cluster, and nothing that can act.
package struct ClusterFacts: Sendable {
  /// Live versions of wanted objects.
  package var live: [KubernetesObject]
  /// What the server would make of the wanted objects that are live already.
  package var predicted: [KubernetesObject]
  /// What we have applied earlier.
  package var owned: [KubernetesObject]
  /// Live versions of our Secrets.
  package var secrets: [KubernetesObject]
  /// Kinds of wanted objects that the cluster does not know.
  package var unknownKinds: Set<String>

  package init(
    live: [KubernetesObject] = [], predicted: [KubernetesObject] = [], owned: [KubernetesObject] = [],
    secrets: [KubernetesObject] = [], unknownKinds: Set<String> = []
  ) {
    self.live = live
    self.predicted = predicted
    self.owned = owned
    self.secrets = secrets
    self.unknownKinds = unknownKinds
  }
}
