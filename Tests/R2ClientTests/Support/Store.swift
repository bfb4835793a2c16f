import FakeS3
import Foundation
import NIOPosix
import R2Client
import TestKit
import Testing

/// The servers that the same operations are tried on.
enum Store: String, CaseIterable, CustomTestStringConvertible {
  /// R2's own rules, in process.
  case fake
  /// A real implementation, started by Tests/s3-server-rgw.
  case radosgw

  var testDescription: String { rawValue }

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
    var (place, keys) = try fake.map(Self.settings) ?? RadosgwSettings.read()
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
}
