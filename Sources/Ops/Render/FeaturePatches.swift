/// The patches of the optional features: what a component cannot know, because it follows from the cluster file.
struct FeaturePatches {
  private let file: ClusterFile
  private let components: [String]

  init(_ file: ClusterFile, components: [String]) {
    self.file = file
    self.components = components
  }

  var all: [OverlayPatches.Patch] {
    var patches: [OverlayPatches.Patch] = []
    if components.contains("quota") { patches.append(quota) }
    if components.contains("upgrade-controller"), let version = file.kubernetes.version {
      patches += ["k3s-server", "k3s-agent"].map { plan($0, version: version) }
    }
    return patches
  }

  private func plan(_ name: String, version: String) -> OverlayPatches.Patch {
    OverlayPatches.Patch(
      name: "plan-\(name)",
      text: """
        apiVersion: upgrade.cattle.io/v1
        kind: Plan
        metadata:
          name: \(name)
          namespace: system-upgrade
        spec:
          version: \(version)

        """)
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
