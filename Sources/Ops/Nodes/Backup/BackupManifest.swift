/// What a folder of `backup` says about itself.
struct BackupManifest: Hashable, Sendable {
  static let name = "manifest.json"
  static let snapshot = "snapshot"
  static let token = "token"
  static let agentToken = "agent-token"
  static let runbook = "RESTORE.md"

  var cluster: String
  var datastore: KubernetesSettings.Datastore
  /// RFC 3339.
  var time: String
  /// Of the k3s that made it.
  var version: String
  /// Of the file `snapshot`.
  var sha256: String

  var json: JSONValue {
    [
      "cluster": .string(cluster), "datastore": .string(datastore.rawValue), "time": .string(time),
      "version": .string(version), "sha256": .string(sha256),
    ]
  }

  init(cluster: String, datastore: KubernetesSettings.Datastore, time: String, version: String, sha256: String) {
    self.cluster = cluster
    self.datastore = datastore
    self.time = time
    self.version = version
    self.sha256 = sha256
  }

  /// `nil`: the text is not one.
  init?(_ text: String) {
    guard let value = try? JSONStream.values(text).first, let cluster = value["cluster"]?.string,
      let kind = value["datastore"]?.string, let datastore = KubernetesSettings.Datastore(rawValue: kind),
      let time = value["time"]?.string, let version = value["version"]?.string, let sha256 = value["sha256"]?.string
    else { return nil }
    self.init(cluster: cluster, datastore: datastore, time: time, version: version, sha256: sha256)
  }
}
