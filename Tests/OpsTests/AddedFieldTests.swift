import Ops
import Synchronization
import Testing

/// Fields that others add to our objects are seen, told and removed.
struct AddedFieldTests {
  private static func object(_ spec: JSONValue, ours: JSONValue, others: JSONValue, manager: String = "kubectl-patch")
    -> KubernetesObject
  {
    KubernetesObject([
      "apiVersion": "v1", "kind": "Thing",
      "metadata": [
        "name": "x", "namespace": "bashupload", "resourceVersion": "7",
        "managedFields": [
          ["manager": .string(Kubectl.fieldManager), "operation": "Apply", "fieldsV1": ours],
          ["manager": .string(manager), "operation": "Update", "fieldsV1": others],
          ["manager": "kubectl", "subresource": "status", "fieldsV1": ["f:status": ["f:x": [:]]]],
        ],
      ],
      "spec": spec, "data": ["A": "1", "B": "2"],
    ])
  }

  @Test func anOpenedPolicy() {
    let live = Self.object(
      ["podSelector": [:], "policyTypes": ["Ingress"], "ingress": [[:]]],
      ours: ["f:spec": ["f:podSelector": [:], "f:policyTypes": [:]]], others: ["f:spec": ["f:ingress": [:]]])
    let found = ForeignFields(live)
    #expect(found.fields.map(\.pointer) == ["/spec/ingress"])
    #expect(found.patch(live).json.contains(#"{"op":"test","path":"/metadata/resourceVersion","value":"7"}"#))
  }

  @Test func aSettingMoreAndAnEnvironmentOfAContainer() {
    let live = Self.object(
      ["containers": [["name": "nginx"], ["name": "app", "env": [["name": "A"], ["name": "X/Y"], ["name": "Z"]]]]],
      ours: [
        "f:data": ["f:A": [:]],
        "f:spec": [
          "f:containers": [
            #"k:{"name":"nginx"}"#: [".": [:], "f:name": [:]],
            #"k:{"name":"app"}"#: [".": [:], "f:name": [:], "f:env": [#"k:{"name":"A"}"#: [".": [:], "f:name": [:]]]],
          ]
        ],
      ],
      others: [
        "f:data": ["f:B": [:]],
        "f:spec": [
          "f:containers": [
            #"k:{"name":"nginx"}"#: ["f:env": [".": [:], #"k:{"name":"gone"}"#: [:]]],
            #"k:{"name":"app"}"#: [
              "f:env": [
                #"k:{"name":"X/Y"}"#: [".": [:], "f:name": [:]], #"k:{"name":"Z"}"#: [".": [:], "f:name": [:]],
              ]
            ],
          ]
        ],
      ])
    let found = ForeignFields(live)
    // From the end of a list, so that the places of the others stay; what is not there any more needs no removal.
    #expect(found.fields.map(\.pointer) == ["/spec/containers/1/env/2", "/spec/containers/1/env/1", "/data/B"])
    #expect(found.fields.map(\.change.path).contains("spec.containers[app].env[Z]"))
  }

  @Test func whatKubernetesItselfWritesAndOrdersOfTheOperatorStay() {
    let fields: JSONValue = ["f:spec": ["f:volumeName": [:]]]
    for manager in ["kube-controller-manager", "k3s", "helm-controller"] {
      let live = Self.object(["volumeName": "v"], ours: ["f:spec": ["f:x": [:]]], others: fields, manager: manager)
      #expect(ForeignFields(live).fields.isEmpty)
    }
    let restarted = Self.object(
      ["template": ["metadata": ["annotations": ["kubectl.kubernetes.io/restartedAt": "now"]]]],
      ours: ["f:spec": ["f:template": ["f:metadata": ["f:annotations": ["f:x": [:]]]]]],
      others: [
        "f:spec": ["f:template": ["f:metadata": ["f:annotations": ["f:kubectl.kubernetes.io/restartedAt": [:]]]]]
      ])
    #expect(ForeignFields(restarted).fields.isEmpty)
  }

  @Test func planDoctorAndApplyKnowThem() async throws {
    let story = try Story()
    defer { story.scratch.remove() }
    #expect(await story.deploy("apply", "--yes").status == 0)
    let id = KubernetesObject.Identity(
      group: "networking.k8s.io", kind: "NetworkPolicy", namespace: "bashupload", name: "default-deny")
    story.cluster.state.withLock { state in
      state.objects[id]?["spec"]?["ingress"] = [[:]]
      state.objects[id]?["metadata"]?["managedFields"] = [
        [
          "manager": .string(Kubectl.fieldManager),
          "fieldsV1": ["f:spec": ["f:podSelector": [:], "f:policyTypes": [:]]],
        ],
        ["manager": "kubectl-patch", "fieldsV1": ["f:spec": ["f:ingress": [:]]]],
      ]
    }
    let plan = await story.deploy("plan")
    #expect(plan.status == 2 && plan.text.contains("spec.ingress: - [1 elements]"), "\(plan.text)")
    #expect(await story.deploy("doctor").text.contains("default-deny: spec.ingress is not ours"))
    let applied = await story.deploy("apply", "--yes")
    #expect(applied.status == 0 && applied.text.contains("fields that others had added are removed"), "\(applied.text)")
    #expect(applied.text.contains("generation 1 is this one already"))
    #expect(story.cluster.state.withLock { $0.objects[id]?.at("spec", "ingress") } == nil)
    #expect(await story.deploy("plan").status == 0)
  }
}
