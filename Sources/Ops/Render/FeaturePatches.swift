/// The patches of the optional features: what a component cannot know, because it follows from the cluster file.
struct FeaturePatches {
  private let file: ClusterFile
  private let components: [String]

  init(_ file: ClusterFile, components: [String]) {
    self.file = file
    self.components = components
  }

  var all: [OverlayPatches.Patch] {
    components.contains("quota") ? [quota] : []
  }

  private var quota: OverlayPatches.Patch {
    let quota = Quota(edges: file.edges.count)
    return OverlayPatches.Patch(
      name: "quota",
      text: """
        apiVersion: v1
        kind: ResourceQuota
        metadata:
          name: bashupload
          namespace: bashupload
        spec:
          hard:
        \(quota.limits.map { "    \($0.name): \"\($0.value)\"" }.joined(separator: "\n"))

        """)
  }
}
