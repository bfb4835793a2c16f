import Ops
import Testing

/// Each mishap is found, and a healthy cluster has none.
struct DoctorTests {
  private static let now = 1_795_348_800

  private static func node(_ name: String, role: String) -> KubernetesObject {
    KubernetesObject([
      "apiVersion": "v1", "kind": "Node",
      "metadata": [
        "name": .string(name), "labels": ["bashupload.app/role": .string(role)],
        "annotations": role == "control" ? ["bashupload.app/registered": "v1.33.5+k3s1"] : [:],
      ],
      "status": [
        "conditions": [
          ["type": "Ready", "status": "True"], ["type": "DiskPressure", "status": "False"],
          // Of k3s with etcd: that it is true is good.
          ["type": "EtcdIsVoter", "status": "True"],
        ],
        "nodeInfo": ["kubeletVersion": "v1.33.5+k3s1"],
      ],
    ])
  }

  private static func lease(_ name: String, _ time: String) -> KubernetesObject {
    KubernetesObject(["kind": "Lease", "metadata": ["name": .string(name)], "spec": ["renewTime": .string(time)]])
  }

  private static func pod(_ namespace: String, _ name: String, port: Int64) -> KubernetesObject {
    KubernetesObject([
      "kind": "Pod", "metadata": ["name": .string(name), "namespace": .string(namespace)],
      "spec": ["nodeName": "edge-1", "containers": [["ports": [["hostPort": .integer(port)]]]]],
    ])
  }

  private static func facts() -> Doctor.Facts {
    Doctor.Facts(
      nodes: [node("cp-1", role: "control")] + ["edge-1", "edge-2", "edge-3"].map { node($0, role: "edge") },
      pods: [pod("bashupload", "bashupload-x", port: 443), pod("other", "tool", port: 8443)],
      namespaces: [
        KubernetesObject([
          "kind": "Namespace",
          "metadata": ["name": "bashupload", "labels": ["pod-security.kubernetes.io/enforce": "privileged"]],
        ])
      ],
      leases: ["cp-1", "edge-1", "edge-2", "edge-3"].map { lease($0, "2026-11-22T11:59:55.000000Z") },
      certificate: KubernetesObject(["status": ["conditions": [["type": "Ready", "status": "True"]]]]),
      secrets: [
        "bashupload/bashupload-r2": ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "PASSWORD"],
        "cert-manager/bashupload-cloudflare": ["api-token"],
      ])
  }

  private static func findings(_ change: (inout Doctor.Facts) -> Void = { _ in }) throws -> [String] {
    var facts = facts()
    change(&facts)
    let file = try ClusterFile(parsing: Example.text, file: "f")
    return Doctor(file: file, facts: facts, now: now).findings.map { "\($0.check): \($0.text)" }
  }

  @Test func aHealthyClusterHasNoFindings() throws {
    #expect(try Self.findings() == [])
  }

  @Test func eachMishapIsFound() throws {
    func finds(_ text: String, _ change: (inout Doctor.Facts) -> Void) throws {
      let found = try Self.findings(change)
      #expect(found.count == 1 && found[0].contains(text), "\(found)")
    }
    try finds("servicelb: kube-system/svclb-traefik-1") {
      $0.daemonSets = [KubernetesObject(["metadata": ["name": "svclb-traefik-1", "namespace": "kube-system"]])]
    }
    try finds("traefik: kube-system/traefik-abc runs") {
      $0.pods.append(Self.pod("kube-system", "traefik-abc", port: 0))
    }
    try finds("hostPort: other/web on edge-1 takes port 80") { $0.pods.append(Self.pod("other", "web", port: 80)) }
    try finds("enforces restricted") {
      $0.namespaces[0].value["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"] = "restricted"
    }
    try finds("node: edge-2 is not in the cluster") { $0.nodes.remove(at: 2) }
    try finds("node: edge-9 is in the cluster and not in the cluster file") {
      $0.nodes.append(Self.node("edge-9", role: "edge"))
    }
    try finds("edge-1 is an edge without the label") { $0.nodes[1] = Self.node("edge-1", role: "control") }
    try finds("edge-1 is cordoned") { $0.nodes[1].value["spec"] = ["unschedulable": true] }
    try finds("edge-1: DiskPressure is True") {
      $0.nodes[1].value["status"]?["conditions"] = [
        ["type": "Ready", "status": "True"], ["type": "DiskPressure", "status": "True"],
      ]
    }
    try finds("edge-1: NetworkUnavailable is True") {
      $0.nodes[1].value["status"]?["conditions"] = [
        ["type": "Ready", "status": "True"], ["type": "NetworkUnavailable", "status": "True"],
      ]
    }
    try finds("edge-1: Ready is Unknown") {
      $0.nodes[1].value["status"]?["conditions"] = [["type": "Ready", "status": "Unknown"]]
    }
    try finds("clock: edge-1 is 300 s ahead") { $0.leases[1] = Self.lease("edge-1", "2026-11-22T12:05:00Z") }
    try finds("clock: edge-1 is ready, and its clock is 600 s behind") {
      $0.leases[1] = Self.lease("edge-1", "2026-11-22T11:50:00Z")
    }
    try finds("version: the nodes run different versions: v1.32.1+k3s1, v1.33.5+k3s1") {
      $0.nodes[1].value["status"]?["nodeInfo"] = ["kubeletVersion": "v1.32.1+k3s1"]
    }
    try finds("certificate: is not ready: waiting for DNS") {
      $0.certificate = KubernetesObject([
        "status": ["conditions": [["type": "Ready", "status": "False", "message": "waiting for DNS"]]]
      ])
    }
    try finds("secret: bashupload/bashupload-r2 has no PASSWORD") {
      $0.secrets["bashupload/bashupload-r2"]?.remove("PASSWORD")
    }
  }

  @Test func snapshotsThatDoNotComeAreFound() throws {
    func snapshot(_ time: String, _ more: JSONValue = ["s3": [:]]) throws -> BucketSnapshot? {
      var spec: JSONValue = ["snapshotName": "etcd-snapshot-cp-1-1"]
      for (key, value) in more.members { spec[key] = value }
      return BucketSnapshot(
        KubernetesObject(["spec": spec, "status": ["readyToUse": true, "creationTime": .string(time)]]))
    }
    let local = try snapshot("2026-11-22T11:00:00Z", [:])
    #expect(local == nil, "one that dies with its node does not count")
    // Every 6 hours; one may fail.
    let young = try snapshot("2026-11-21T23:30:00Z")
    let old = try #require(try snapshot("2026-11-21T22:30:00Z"))
    #expect(try Self.findings { $0.snapshots = [young, old].compactMap { $0 } } == [])
    let failed = try #require(
      BucketSnapshot(
        KubernetesObject([
          "spec": ["snapshotName": "x", "s3": [:]],
          "status": ["readyToUse": false, "error": ["message": "Access Denied."]],
        ])))
    let stale = try Self.findings { $0.snapshots = [old, failed] }
    #expect(
      stale.count == 1
        && stale[0].hasPrefix("snapshots: the newest one of etcd in the bucket is 13 hours old: Access Denied.; "),
      "\(stale)")
    let none = try Self.findings { $0.nodes[0].value["metadata"]?["creationTimestamp"] = "2026-11-20T00:00:00Z" }
    #expect(none.count == 1 && none[0].hasPrefix("snapshots: none of etcd is in the bucket; "), "\(none)")
    let foreign = try Self.findings {
      $0.nodes[0].value["metadata"]?["creationTimestamp"] = "2026-11-20T00:00:00Z"
      $0.nodes[0].value["metadata"]?["annotations"] = nil
    }
    #expect(foreign == [], "control nodes that are somebody else's")
    #expect(try Self.findings { $0.nodes[0].value["metadata"]?["creationTimestamp"] = "2026-11-22T00:00:00Z" } == [])
  }
}
