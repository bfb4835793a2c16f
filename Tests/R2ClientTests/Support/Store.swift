import FakeS3
import Foundation
import NIOPosix
import R2Client
import Testing

/// The servers that the same operations are tried on.
enum Store: String, CaseIterable, CustomTestStringConvertible {
  /// R2's own rules, in process.
  case fake
  /// A real implementation, started by Tests/s3-server-rgw.
  case radosgw

  var testDescription: String { rawValue }

  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  /// Runs a test with a client of a bucket that others use too, and a prefix for its keys.
  func with(
    options change: (inout R2ClientOptions) -> Void = { _ in },
    credentials: (inout S3Credentials) -> Void = { _ in },
    configuration: (inout R2Configuration) -> Void = { _ in },
    _ test: (R2Client, String) async throws -> Void
  ) async throws {
    var rules = FakeS3Rules()
    rules.minimumPartSize = 1 << 10
    rules.writeInterval = nil
    let fake = self == .fake ? try await FakeS3.start(rules) : nil
    var (place, keys) = try fake.map(Self.settings) ?? Self.radosgwSettings()
    configuration(&place)
    credentials(&keys)
    var options = R2ClientOptions()
    if fake != nil { options.partLimits.minimumSize = Int64(rules.minimumPartSize) }
    change(&options)
    let client = try R2Client(
      configuration: place, credentials: keys, options: options,
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    do {
      try await test(client, "\(UUID().uuidString.prefix(8))/")
    } catch {
      try await client.shutdown()
      await fake?.stop()
      throw error
    }
    try await client.shutdown()
    await fake?.stop()
  }

  static func settings(_ fake: FakeS3) -> (R2Configuration, S3Credentials) {
    (
      R2Configuration(endpoint: fake.endpoint, region: fake.rules.region, bucket: fake.rules.bucket),
      S3Credentials(accessKeyID: fake.rules.accessKeyID, secretAccessKey: fake.rules.secretAccessKey)
    )
  }

  private static func radosgwSettings() throws -> (R2Configuration, S3Credentials) {
    let environment = ProcessInfo.processInfo.environment
    func value(_ name: String) throws -> String {
      guard let value = environment[name], !value.isEmpty else {
        throw Missing(description: "\(name) is not set: run `make test-unit`, or begin with Tests/s3-server-rgw run")
      }
      return value
    }
    return (
      R2Configuration(
        endpoint: try value("S3_ENDPOINT"), region: try value("S3_REGION"), bucket: try value("S3_BUCKET"),
        writeETags: .unquoted),
      S3Credentials(accessKeyID: try value("S3_ACCESS_KEY_ID"), secretAccessKey: try value("S3_SECRET_ACCESS_KEY"))
    )
  }
}
