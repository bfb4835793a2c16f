import GRDB
import Server
import Testing
import UploadCore

struct CleanupRunTests {
  /// P4: cleanup costs O(expired). SQLite says itself that it scans nothing.
  @Test func readsOnlyWhatIsDue() async throws {
    let fixture = try Fixture()
    let now = fixture.clock.read()
    let due = try await fixture.index.queryPlan(UploadIndex.dueBlobsSQL, UploadIndex.dueArguments(now) + [1000])
    #expect(due.contains { $0.hasPrefix("SEARCH upload USING PRIMARY KEY (id<?)") }, "\(due)")
    #expect(
      due.contains { $0.hasPrefix("SEARCH upload USING INDEX upload_ended (blob_due>? AND blob_due<?)") }, "\(due)")
    #expect(!due.contains { $0.hasPrefix("SCAN") || $0.contains("TEMP B-TREE") }, "\(due)")
    let forget = try await fixture.index.queryPlan(UploadIndex.forgetSQL, ["1icuq8aet00qum6b", now.milliseconds, 1000])
    #expect(forget.contains { $0.contains("SEARCH upload USING PRIMARY KEY (id<?)") }, "\(forget)")
    #expect(!forget.contains { $0.hasPrefix("SCAN") }, "\(forget)")
  }

  @Test func removesWhatIsOverAndKeepsTheRest() async throws {
    let fixture = try Fixture()
    let service = fixture.uploads()
    let oneTime = try await fixture.upload([1], to: service)
    var long = UploadRequest.plain
    long.expirationSeconds = "80000"
    let lives = try await fixture.upload([2, 2], long, to: service)
    fixture.clock.advance(seconds: 4000)
    let dry = try await fixture.cleanup().run(now: fixture.clock.read(), dryRun: true)
    #expect(dry.deletedObjects == 1 && dry.freedBytes == 1 && dry.forgottenRows == 1)
    #expect(try await fixture.store.open(oneTime.record.id) != nil)
    let report = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(report.deletedObjects == 1 && report.freedBytes == 1 && report.forgottenRows == 1)
    #expect(report.reasons == ["expired": 1])
    #expect(try await fixture.store.open(oneTime.record.id) == nil)
    #expect(try await fixture.index.entry(oneTime.record.id) == nil)
    #expect(try await fixture.store.open(lives.record.id) != nil)
    #expect(try await fixture.index.storedBytes() == 2)
    let again = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(again == CleanupReport())
  }

  @Test func consumedBytesLeaveAfterTheResumeTimeAndTheRowStays() async throws {
    let fixture = try Fixture()
    let receipt = try await fixture.upload([1, 2, 3], to: fixture.uploads())
    let request = DeliveryRequest(size: 3, range: nil, client: [1])
    _ = try await fixture.ledger().beginAndConsume(receipt.record, request, now: fixture.clock.read())
    var report = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(report.deletedObjects == 0, "somebody may still resume")
    fixture.clock.advance(seconds: 60)
    report = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(report.reasons == ["consumed": 1])
    #expect(try await fixture.index.entry(receipt.record.id)?.state == .consumed, "410 until it would have expired")
  }

  @Test func aDownloadInProgressKeepsItsRow() async throws {
    let fixture = try Fixture()
    let receipt = try await fixture.upload([UInt8](repeating: 1, count: 200_000), to: fixture.uploads())
    let request = DeliveryRequest(size: 200_000, range: nil, client: [1])
    let ledger = fixture.ledger(leaseSeconds: 600)
    fixture.clock.advance(seconds: 3599)
    guard case .lease(let slot, _) = try await ledger.begin(receipt.record, request, now: fixture.clock.read()) else {
      throw FixtureFailure()
    }
    fixture.clock.advance(seconds: 10)
    _ = try await fixture.cleanup().run(now: fixture.clock.read())
    let nonce = try #require(slot.lease?.nonce)
    let holder = SlotHolder(id: receipt.record.id, size: 200_000, slot: slot.number, nonce: nonce)
    #expect(try await ledger.consume(holder, bytesSent: 200_000, now: fixture.clock.read()))
  }

  @Test func manyBatches() async throws {
    let fixture = try Fixture()
    for _ in 0..<2_345 { _ = try await fixture.makeRow(downloads: 1, size: 10, expiresIn: 5) }
    fixture.clock.advance(seconds: 6)
    let report = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(report.deletedObjects == 2_345 && report.forgottenRows == 2_345)
    #expect(try await fixture.index.storedBytes() == 0)
  }
}
