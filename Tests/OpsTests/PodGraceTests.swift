import Ops
import Testing

/// How long pods may end, which nodes they stand, and what the kernel of a node is told.
struct PodGraceTests {
  private static func overlay(_ text: String) throws -> [String: String] {
    let file = try ClusterFile(parsing: text, file: "f")
    return Dictionary(Overlay(file).files.map { ($0.path, $0.text) }) { $1 }
  }

  private static func node(_ text: String, _ name: String, _ path: String) throws -> String {
    let file = try ClusterFile(parsing: text, file: "f")
    let tree = NodeTree(try #require(file.nodes.first { $0.name == name }), of: file, facts: KnownFacts())
    return try #require(tree.entries.first { $0.file.path == path }).file.text
  }

  private static let kubelet = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-bashupload.conf"

  @Test func oneKeyMovesServerPodAndKubelet() throws {
    let text = Example.with("  maxUploadSize: 5GiB", "  shutdownGrace: 30m\n  maxUploadSize: 5GiB")
    let files = try Self.overlay(text)
    #expect(files["bashupload.env"]?.contains("SHUTDOWN_GRACE=1800\n") == true)
    #expect(files["patches/pods.yaml"]?.contains("terminationGracePeriodSeconds: 1830\n") == true)
    #expect(files["nginx/nginx.conf"] == nil, "nginx waits as long as the pod does")
    #expect(try Self.node(text, "edge-1", Self.kubelet).contains("\nshutdownGracePeriod: 1850s\n"))
  }

  @Test func aRebootLetsTransfersEnd() throws {
    let text = try Self.node(Example.text, "edge-1", Self.kubelet)
    #expect(text.contains("\nshutdownGracePeriod: 170s\n") && text.contains("\nshutdownGracePeriodCriticalPods: 20s\n"))
    #expect(try Self.overlay(Example.text)["patches/pods.yaml"] == nil, "the tree is written for the default")
  }

  @Test func taintsOfAnEdgeAreTolerated() throws {
    let text = Example.with(
      "name: edge-2,",
      "name: edge-2, taints: [\"dedicated=drop:NoExecute\", \"slow:NoSchedule\", \"far:PreferNoSchedule\"],")
    let patch = try #require(try Self.overlay(text)["patches/pods.yaml"])
    #expect(patch.contains("- key: node-role.kubernetes.io/control-plane"), "a patch replaces the list")
    #expect(
      patch.contains("- key: dedicated\n          operator: Equal\n          value: drop\n          effect: NoExecute"))
    #expect(patch.contains("- key: slow\n          operator: Exists\n          effect: NoSchedule"))
    #expect(!patch.contains("key: far"))
  }

  @Test func connectionsHaveRoomAndEnd() throws {
    let sysctl = try Self.node(Example.text, "edge-1", "/etc/sysctl.d/90-bashupload.conf")
    #expect(sysctl.contains("net.netfilter.nf_conntrack_max = 131072\n"))
    #expect(sysctl.contains("net.netfilter.nf_conntrack_tcp_timeout_established = 7440\n"))
    let k3s = try Self.node(Example.text, "edge-1", "/etc/rancher/k3s/config.yaml")
    #expect(k3s.contains("conntrack-max-per-core=0") && k3s.contains("conntrack-tcp-timeout-established=0s"))
  }
}
