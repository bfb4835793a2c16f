import Configuration
import Foundation
import Ops
import Server
import Testing
import UploadCore

/// Cluster file -> ConfigMap -> `ServerConfiguration` -> the same policy: both sides of the settings' names, in one place.
struct DriftTests {
  static let files = ["one-node", "three-edges", "everything", "first-document"]

  private static func file(_ name: String) throws -> ClusterFile {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let url = folder.appending(path: "OpsTests/Fixtures/\(name).yaml")
    return try ClusterFile(parsing: String(contentsOf: url, encoding: .utf8), file: name)
  }

  /// `NAME=value` lines, as kustomize reads them.
  private static func environment(_ text: String) -> [String: String] {
    var settings: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2 { settings[parts[0]] = parts[1] }
    }
    return settings
  }

  /// What the server is told: the base's settings, and the overlay's over them.
  private static func settings(_ file: ClusterFile) throws -> [String: String] {
    let base = environment(try #require(KubernetesTree.files["base/bashupload.env"]))
    let overlay = environment(try #require(Overlay(file).files.first { $0.path == "bashupload.env" }).text)
    return base.merging(overlay) { $1 }
  }

  @Test(arguments: files)
  func theServerReadsThePolicyOfTheClusterFile(_ name: String) throws {
    let file = try Self.file(name)
    var settings = try Self.settings(file)
    // The bucket's keys are in a Secret.
    settings.merge(["R2_ACCESS_KEY_ID": "key", "R2_SECRET_ACCESS_KEY": "secret"]) { $1 }
    let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: settings))
    let configuration = try ServerConfiguration(reading: reader)
    #expect(configuration.policy == file.policy)
    #expect(configuration.shortURLService == file.shortURLService)
    #expect(configuration.publicURL?.description == "https://\(file.domain)")
    #expect(!configuration.cleansUp, "the CronJob is the one cleaner")
    #expect(configuration.bucket != nil)
  }

  /// A name that the server does not know would be ignored in silence.
  @Test(arguments: files)
  func everySettingOfTheOverlayIsKnownToTheServer(_ name: String) throws {
    let known = Set(Setting.all.map(\.name))
    for key in try Self.settings(Self.file(name)).keys { #expect(known.contains(key), "\(key)") }
  }

  /// nginx lets through what the server takes, and 1 MiB for the frame of a form.
  @Test(arguments: files)
  func nginxHasTheLimitOfTheServer(_ name: String) throws {
    let file = try Self.file(name)
    guard let limits = Overlay(file).files.first(where: { $0.path == "nginx/limits.conf" }) else { return }
    let number = try #require(limits.text.firstMatch(of: #/client_max_body_size (\d+)m;/#).flatMap { Int64($0.1) })
    #expect(number << 20 >= file.policy.maxUploadSize.bytes + (1 << 20))
    #expect(number << 20 < file.policy.maxUploadSize.bytes + (2 << 20) + 1)
  }

  /// The schema's defaults are the server's.
  @Test func theDefaultsAreTheSame() throws {
    #expect(try Self.file("one-node").policy == UploadPolicy())
  }
}
