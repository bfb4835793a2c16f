/// The hand-written kustomize tree `deploy/kubernetes`, which the executable carries: it works without a checkout.
package enum KubernetesTree {
  /// The files of a folder such as `base` or `components/quota`, by their path below the root of the tree.
  package static func folder(_ name: String) -> [RenderedFile] {
    files.filter { $0.key.hasPrefix(name + "/") }.sorted { $0.key < $1.key }.map { RenderedFile(path: $0, text: $1) }
  }
}
