import FakeS3
import Foundation
import Logging
import NIOPosix
import R2Client
import Server
import Synchronization
import TestKit
import UploadCore

/// Several ledgers, as several nodes have them, over one bucket.
struct LedgerCluster {
  /// Where the bucket is.
  enum Place: CaseIterable {
    /// R2's rules but for the rate of writes.
    case fake
    /// With a limit on the rate of writes to one key, ten times R2's so that tests need not wait for seconds.
    case limitedFake
    /// A real implementation, started by Tests/s3-server-rgw.
    case radosgw
  }

  /// Which uploads were reported as used up.
  final class Reports: Sendable {
    private let ids = Mutex<[UploadID]>([])

    func add(_ id: UploadID) { ids.withLock { $0.append(id) } }
    var all: [UploadID] { ids.withLock { $0 } }
  }

  static let leaseSeconds: Int64 = 10
  static let resumeSeconds: Int64 = 20
  static let start = Timestamp(seconds: 1_800_000_000)
  private static let writeInterval = Duration.milliseconds(100)

  /// Nil for radosgw.
  let fake: FakeS3?
  /// One for each node.
  let clients: [R2Client]
  let ledgers: [R2DownloadLedger]
  let reports: Reports

  static func with(_ place: Place = .fake, nodes: Int = 1, _ test: (LedgerCluster) async throws -> Void) async throws {
    var rules = FakeS3Rules()
    rules.writeInterval = place == .limitedFake ? writeInterval : nil
    let fake = place == .radosgw ? nil : try await FakeS3.start(rules)
    let (configuration, credentials) = try settings(fake)
    var options = R2ClientOptions()
    var patience = ClaimPatience()
    patience.writeInterval = place == .limitedFake ? writeInterval : .milliseconds(20)
    // About five pauses: a store that fails for longer is away.
    if place == .fake { patience.total = .milliseconds(100) }
    // A store with faults is asked again at once.
    options.sleep = { _ in await Task.yield() }
    let clients = try (0..<nodes).map { _ in
      try R2Client(
        configuration: configuration, credentials: credentials, options: options,
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    }
    let reports = Reports()
    let cluster = LedgerCluster(
      fake: fake, clients: clients,
      ledgers: clients.map { client in
        R2DownloadLedger(
          client: client, leaseSeconds: leaseSeconds, resumeSeconds: resumeSeconds, patience: patience,
          logger: Fixture.logger
        ) { id, _ in reports.add(id) }
      }, reports: reports)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await test(cluster))
    } catch {
      outcome = .failure(error)
    }
    for client in clients { try await client.shutdown() }
    await fake?.stop()
    try outcome.get()
  }

  private static func settings(_ fake: FakeS3?) throws -> (R2Configuration, S3Credentials) {
    if let fake {
      return (
        R2Configuration(endpoint: fake.endpoint, region: fake.rules.region, bucket: fake.rules.bucket),
        S3Credentials(accessKeyID: fake.rules.accessKeyID, secretAccessKey: fake.rules.secretAccessKey)
      )
    }
    return try RadosgwSettings.read()
  }

  /// A ledger of a node that has just started.
  func newLedger(pace: WritePace = WritePace()) -> R2DownloadLedger {
    let reports = reports
    return R2DownloadLedger(
      client: clients[0], leaseSeconds: Self.leaseSeconds, resumeSeconds: Self.resumeSeconds,
      patience: ledgers[0].patience, pace: pace, logger: Fixture.logger
    ) { id, _ in reports.add(id) }
  }

  static func upload(downloads: Int, size: Int64 = 1_000_000) throws -> UploadRecord {
    var random = SystemRandomNumberGenerator()
    guard let id = UploadID(expiresAt: start.adding(seconds: 3600), using: &random) else { throw FixtureFailure() }
    return UploadRecord(
      id: id, name: nil, contentType: "text/plain", size: size, sha256: Array(repeating: 0, count: 32),
      createdAt: start, maxDownloads: DownloadLimit(downloads), deleteTokenHash: Array(repeating: 0, count: 32))
  }

  static func holder(_ record: UploadRecord, _ decision: LeaseDecision) -> SlotHolder? {
    guard case .lease(let slot, _) = decision, let nonce = slot.lease?.nonce else { return nil }
    return SlotHolder(id: record.id, size: record.size, slot: slot.number, nonce: nonce)
  }

  static func whole(_ record: UploadRecord, client: Int) -> DeliveryRequest {
    DeliveryRequest(size: record.size, range: nil, client: [UInt8(truncatingIfNeeded: client)])
  }
}
