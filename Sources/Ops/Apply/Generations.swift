import UploadCore

/// What has been applied, kept in the cluster so that it can be applied again: the objects without Secrets. The revisions
/// of a DaemonSet alone do not bring a version back: they name ConfigMaps that have been pruned since.
struct Generations: Sendable {
  /// A version that has proven itself.
  struct Generation: Sendable {
    var number: Int
    var note: String
    var objects: String
  }

  /// Kept; older ones go.
  static let kept = 10
  /// An object of Kubernetes ends at 1 MiB.
  private static let largest = 900_000
  private static let label = "bashupload.app/generation"

  let kubectl: Kubectl
  let context: DeployContext

  /// Oldest first.
  func all() async throws -> [Generation] {
    try await kubectl.get("configmaps", selector: Self.label).compactMap { object in
      guard let number = object.value.at("metadata", "labels", Self.label)?.string.flatMap({ Int($0) }) else {
        return nil
      }
      return Generation(
        number: number, note: object.value.at("data", "note")?.string ?? "",
        objects: object.value.at("data", "objects.json")?.string ?? "")
    }.sorted { $0.number < $1.number }
  }

  /// Keeps what has just been applied.
  func record(_ objects: [KubernetesObject], note: String) async throws {
    let text = KubernetesObject.stream(objects)
    guard text.utf8.count <= Self.largest else {
      context.say("this version is too large to be kept for a rollback (\(text.utf8.count) bytes)")
      return
    }
    let earlier = try await all()
    // What is kept already, a repair of drift, would only push an older version out.
    if let last = earlier.last, last.objects == text {
      return context.say("generation \(last.number) is this one already")
    }
    let number = (earlier.last?.number ?? 0) + 1
    let time = Timestamp(seconds: Int64(context.now())).rfc3339
    let created = try await kubectl.create(
      KubernetesObject([
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": [
          "name": .string("bashupload-generation-\(number)"), "namespace": .string(Kubectl.namespace),
          "labels": [Self.label: .string(String(number))],
        ],
        "data": [
          "note": .string("\(time) by \(context.operatorName): \(note)"), "objects.json": .string(text),
        ],
      ]))
    context.say(created ? "generation \(number) is kept" : "generation \(number) exists already")
    try await kubectl.delete(
      earlier.dropLast(Self.kept - 1).map { generation in
        KubernetesObject([
          "apiVersion": "v1", "kind": "ConfigMap",
          "metadata": [
            "name": .string("bashupload-generation-\(generation.number)"), "namespace": .string(Kubectl.namespace),
          ],
        ])
      })
  }
}
