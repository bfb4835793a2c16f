import Foundation
import Ops

extension FakeCluster.State {
  /// What the controllers do with a new object.
  mutating func settle(_ identity: KubernetesObject.Identity) {
    switch identity.kind {
    case "HelmChart" where identity.name == "cert-manager":
      unknownKinds.subtract(["Certificate", "ClusterIssuer"])
      for kind in ["certificates", "clusterissuers"] {
        add("CustomResourceDefinition", "\(kind).cert-manager.io", namespace: "", [:])
      }
      add("Deployment", "cert-manager-webhook", namespace: "cert-manager", ["status": ["readyReplicas": 1]])
    case "Certificate" where hasBadKey("bashupload-cloudflare"):
      add(
        "Challenge", "\(identity.name)-1", namespace: identity.namespace,
        [
          "spec": ["dnsName": objects[identity]?.at("spec", "dnsNames")?.array.first ?? .null],
          "status": [
            "reason": "while querying the Cloudflare API for GET \"/zones?name=x\"\n\t Error: 9109: Invalid token"
          ],
        ])
    case "Certificate":
      objects[identity]?["status"] = [
        "conditions": [["type": "Ready", "status": "True"]], "notAfter": "2027-01-05T00:00:00Z",
        "renewalTime": "2026-12-20T00:00:00Z",
      ]
    case "DaemonSet" where identity.name == "bashupload": rollOut(identity)
    case "CronJob": objects[identity]?["status"] = ["lastSuccessfulTime": "2026-11-22T11:55:00Z"]
    default: break
    }
  }

  private func hasBadKey(_ secret: String) -> Bool {
    let data = objects.first { $0.key.kind == "Secret" && $0.key.name == secret }?.value["data"]?.members ?? [:]
    return data.values.contains { value in
      Data(base64Encoded: value.string ?? "").map { badKeys.contains(String(decoding: $0, as: UTF8.self)) } == true
    }
  }

  /// k3s takes a snapshot, with the keys that the node has.
  mutating func takeSnapshot(_ name: String) {
    let failed: JSONValue = ["readyToUse": false, "error": ["message": .string(complaintOfSnapshots ?? "")]]
    for place: JSONValue in [
      ["nodeName": "cp-1"], ["nodeName": "s3", "s3": ["bucket": "bashupload-snapshots", "prefix": "bashupload-app"]],
    ] {
      var spec = place
      spec["snapshotName"] = .string(name)
      let isInBucket = place["s3"] != nil
      add(
        "ETCDSnapshotFile", "\(isInBucket ? "s3" : "local")-\(name)", namespace: "",
        [
          "spec": spec,
          "status": isInBucket && complaintOfSnapshots != nil
            ? failed : ["readyToUse": true, "creationTime": "2026-11-22T12:00:00Z"],
        ])
    }
  }

  private mutating func add(_ kind: String, _ name: String, namespace: String, _ more: JSONValue) {
    let identity = KubernetesObject.Identity(group: "", kind: kind, namespace: namespace, name: name)
    var value: JSONValue = [
      "apiVersion": "v1", "kind": .string(kind),
      "metadata": ["name": .string(name), "namespace": .string(namespace)],
    ]
    for (key, member) in more.members { value[key] = member }
    objects[identity] = value
  }

  private mutating func rollOut(_ identity: KubernetesObject.Identity) {
    guard let daemonSet = objects[identity] else { return }
    let edges = objects.filter {
      $0.key.kind == "Node" && $0.value.at("metadata", "labels", "bashupload.app/role")?.string == "edge"
    }.map(\.key.name)
    let containers = daemonSet.at("spec", "template", "spec", "containers")?.array ?? []
    let isBroken =
      containers.contains { brokenImages.contains($0["image"]?.string ?? "") } || hasBadKey("bashupload-r2")
    if hasBadKey("bashupload-r2") {
      let failed: JSONValue = ["failed": 3, "conditions": [["type": "Failed", "status": "True"]]]
      addCleanup("with-bad-keys", image: "x", status: failed)
    }
    let isFalling = containers.contains { fallingImages.contains($0["image"]?.string ?? "") }
    let isSlow = containers.contains { slowImages.contains($0["image"]?.string ?? "") }
    let isReady = !isBroken && !isSlow && !isOverQuota
    let count = JSONValue.integer(Int64(edges.count))
    let version = "\(daemonSet.at("metadata", "generation")?.integer ?? 1)"
    if objects[identity]?.at("metadata", "annotations") == nil {
      objects[identity]?["metadata"]?["annotations"] = .object([:])
    }
    objects[identity]?["metadata"]?["annotations"]?["deprecated.daemonset.template.generation"] = .string(version)
    objects[identity]?["status"] = [
      "observedGeneration": daemonSet.at("metadata", "generation") ?? 1, "desiredNumberScheduled": count,
      "updatedNumberScheduled": isOverQuota ? 0 : count, "numberReady": isReady ? count : 0,
      "numberAvailable": !isReady || isFalling ? 0 : count,
    ]
    if isOverQuota {
      for identity in objects.keys where identity.kind == "Pod" { objects[identity] = nil }
      return
    }
    let away = edges.filter(isAway)
    for node in edges {
      let pod = KubernetesObject.Identity(
        group: "", kind: "Pod", namespace: Kubectl.namespace, name: "bashupload-\(node)")
      // As the controller with maxUnavailable 1.
      if !away.isEmpty, objects[pod] != nil { continue }
      let waiting: JSONValue = [
        "waiting": ["reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"]
      ]
      add(
        "Pod", "bashupload-\(node)", namespace: Kubectl.namespace,
        [
          "metadata": [
            "name": .string("bashupload-\(node)"), "namespace": .string(Kubectl.namespace),
            "labels": [
              "app.kubernetes.io/name": "bashupload", "app.kubernetes.io/component": "edge",
              "pod-template-generation": .string(version),
            ],
          ],
          "spec": ["nodeName": .string(node)],
          "status": [
            "startTime": "2026-11-22T11:00:00Z",
            "conditions": [
              [
                "type": "Ready", "status": isReady ? "True" : "False", "lastTransitionTime": "2026-11-22T11:00:00Z",
              ]
            ],
            "containerStatuses": [
              [
                "name": "bashupload", "restartCount": isBroken ? 4 : 0, "ready": .bool(isReady),
                "state": isBroken ? waiting : ["running": [:]],
              ]
            ],
          ],
        ])
    }
    if away.isEmpty { return }
    let pods = objects.filter { $0.key.kind == "Pod" && $0.key.namespace == Kubectl.namespace }.map(\.value)
    let new = pods.count { $0.at("metadata", "labels", "pod-template-generation")?.string == version }
    objects[identity]?["status"]?["updatedNumberScheduled"] = .integer(Int64(new))
    for field in ["numberReady", "numberAvailable"] {
      objects[identity]?["status"]?[field] = .integer(Int64(isReady ? edges.count - away.count : 0))
    }
  }

  private func isAway(_ node: String) -> Bool {
    let conditions = objects.first { $0.key.kind == "Node" && $0.key.name == node }?.value.at("status", "conditions")
    return conditions?.array.contains { $0["type"]?.string == "Ready" && $0["status"]?.string != "True" } == true
  }

  /// A run of the cleaner, one that has begun and not ended unless `status` says otherwise.
  mutating func addCleanup(_ name: String, image: String, status: JSONValue = ["active": 1]) {
    let identity = KubernetesObject.Identity(group: "batch", kind: "Job", namespace: Kubectl.namespace, name: name)
    objects[identity] = [
      "apiVersion": "batch/v1", "kind": "Job",
      "metadata": [
        "name": .string(name), "namespace": .string(Kubectl.namespace),
        "labels": ["app.kubernetes.io/component": "cleanup"],
      ],
      "spec": ["template": ["spec": ["containers": [["name": "cleanup", "image": .string(image)]]]]],
      "status": status,
    ]
  }

  /// - Parameter time: in one of the two fields in which reporters write it.
  mutating func addEvent(_ kind: String, _ name: String, _ reason: String, _ message: String, _ time: JSONValue) {
    add(
      "Event", "event-\(objects.count)", namespace: Kubectl.namespace,
      [
        "involvedObject": ["kind": .string(kind), "name": .string(name)], "reason": .string(reason),
        "message": .string(message), "lastTimestamp": time["lastTimestamp"] ?? .null,
        "eventTime": time["eventTime"] ?? .null,
      ])
  }

  mutating func addNode(_ name: String, role: String, version: String = "v1.33.5+k3s1") {
    add(
      "Node", name, namespace: "",
      [
        "metadata": ["name": .string(name), "labels": ["bashupload.app/role": .string(role)]],
        "status": [
          "conditions": [
            ["type": "Ready", "status": "True"], ["type": "MemoryPressure", "status": "False"],
            ["type": "EtcdIsVoter", "status": "True"],
          ],
          "nodeInfo": ["kubeletVersion": .string(version), "bootID": "0"],
        ],
      ])
  }

  /// A service in which every file can be had once, from everywhere.
  mutating func curl(_ invocation: Invocation) -> CommandResult {
    let words = invocation.arguments
    let url = words.last ?? ""
    if url.hasSuffix("/api/config") {
      if let complaint = complaintOfIPv6 { return CommandResult(status: 7, output: "", complaint: complaint) }
      return CommandResult(status: 0, output: "{}\n200")
    }
    if deadEdges.contains(where: { address in words.contains { $0.hasSuffix(":443:\(address)") } }) {
      return CommandResult(status: 7, output: "", complaint: "curl: (7) Failed to connect")
    }
    if let index = words.firstIndex(of: "--data-binary") {
      if refusesUploads { return CommandResult(status: 0, output: "the store is away\n\n503") }
      let link = "\(url.split(separator: "/").prefix(2).joined(separator: "//"))/\(uploads.count)aaaa"
      uploads[link] = words[index + 1]
      return CommandResult(status: 0, output: "\(link)\n\n200")
    }
    guard let text = uploads[url] else { return CommandResult(status: 0, output: "no such file\n404") }
    uploads[url] = ""
    return CommandResult(status: 0, output: text.isEmpty ? "it is gone\n410" : "\(text)\n200")
  }
}
