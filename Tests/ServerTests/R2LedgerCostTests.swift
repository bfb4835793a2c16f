import FakeS3
import Server
import Testing
import UploadCore

/// What the ledger asks of the store, in numbers of calls.
struct R2LedgerCostTests {
  private static let now = LedgerCluster.start

  @Test func oneTimeDownloadIsTwoWrites() async throws {
    try await LedgerCluster.with { cluster in
      let (fake, ledger) = (try #require(cluster.fake), cluster.ledgers[0])
      let record = try LedgerCluster.upload(downloads: 1)
      let request = LedgerCluster.whole(record, client: 1)
      let holder = try #require(
        LedgerCluster.holder(record, try await ledger.begin(record, request, now: Self.now)))
      #expect(try await ledger.consume(holder, bytesSent: record.size, now: Self.now))
      #expect(fake.calls == ["PutObject": 2])
      #expect(cluster.reports.all == [record.id])

      // Used up, and this node knows it.
      for _ in 0..<10 { #expect(try await ledger.begin(record, request, now: Self.now) == .gone) }
      #expect(SlotChoice.isConsumed(slots: ledger.knownSlots(record.id), limit: .one))
      #expect(fake.calls == ["PutObject": 2])
      #expect(cluster.reports.all == [record.id])

      // A node that does not know it finds out once.
      let other = cluster.newLedger()
      for _ in 0..<10 { #expect(try await other.begin(record, request, now: Self.now) == .gone) }
      #expect(fake.calls == ["PutObject": 3, "GetObject": 1])
    }
  }

  @Test func smallFileIsOneWrite() async throws {
    try await LedgerCluster.with { cluster in
      let fake = try #require(cluster.fake)
      let record = try LedgerCluster.upload(downloads: 1, size: 100)
      let decision = try await cluster.ledgers[0].beginAndConsume(
        record, LedgerCluster.whole(record, client: 1), now: Self.now)
      #expect(LedgerCluster.holder(record, decision) != nil)
      #expect(fake.calls == ["PutObject": 1])
      #expect(cluster.reports.all == [record.id])
    }
  }

  @Test func renewalAndReleaseAreOneWriteEach() async throws {
    try await LedgerCluster.with { cluster in
      let (fake, ledger) = (try #require(cluster.fake), cluster.ledgers[0])
      let record = try LedgerCluster.upload(downloads: 1)
      let request = LedgerCluster.whole(record, client: 1)
      for _ in 0..<2 {
        let holder = try #require(
          LedgerCluster.holder(record, try await ledger.begin(record, request, now: Self.now)))
        #expect(try await ledger.renew(holder, bytesSent: 1, now: Self.now.adding(seconds: 1)))
        try await ledger.release(holder, bytesSent: 10, now: Self.now)
      }
      #expect(fake.calls == ["PutObject": 6])
    }
  }

  /// Several downloads: one listing by a node that knows nothing, and one look at the last slot with every consumption.
  @Test func severalDownloads() async throws {
    try await LedgerCluster.with { cluster in
      let (fake, ledger) = (try #require(cluster.fake), cluster.ledgers[0])
      let record = try LedgerCluster.upload(downloads: 3)
      for client in 1...3 {
        let holder = try #require(
          LedgerCluster.holder(
            record, try await ledger.begin(record, LedgerCluster.whole(record, client: client), now: Self.now)))
        #expect(try await ledger.consume(holder, bytesSent: record.size, now: Self.now))
      }
      #expect(fake.calls == ["PutObject": 6, "ListObjectsV2": 1, "GetObject": 2])
      #expect(cluster.reports.all == [record.id])
      #expect(
        try await ledger.begin(record, LedgerCluster.whole(record, client: 9), now: Self.now) == .gone)
      #expect(fake.callCount == 9)
    }
  }

  /// R2 allows one write a second to a key, and bills those that it refuses: a download that is faster waits with its end.
  /// Of another store that is learned from its first refusal.
  @Test(arguments: [true, false])
  func fastDownloadWaitsItsTurn(isKnown: Bool) async throws {
    try await LedgerCluster.with(.limitedFake) { cluster in
      let pace = WritePace(isLimited: isKnown)
      let (fake, ledger) = (try #require(cluster.fake), cluster.newLedger(pace: pace))
      for _ in 1...3 {
        // A machine that is slow enough is not refused, and learns nothing yet.
        let writes = pace.isLimited ? 2 : 3
        let record = try LedgerCluster.upload(downloads: 1)
        let before = fake.calls["PutObject", default: 0]
        let holder = try #require(
          LedgerCluster.holder(
            record, try await ledger.begin(record, LedgerCluster.whole(record, client: 1), now: Self.now)))
        #expect(try await ledger.consume(holder, bytesSent: record.size, now: Self.now))
        let made = fake.calls["PutObject", default: 0] - before
        #expect(made <= writes)
        #expect(made == 2 || pace.isLimited)
      }
      #expect(fake.calls["GetObject"] == nil)
    }
  }

  /// Where any rate of writes is allowed nobody waits, however fast a download is.
  @Test func nothingIsLearnedFromAStoreWithoutLimit() async throws {
    try await LedgerCluster.with { cluster in
      let pace = WritePace()
      let ledger = cluster.newLedger(pace: pace)
      let record = try LedgerCluster.upload(downloads: 1)
      let holder = try #require(
        LedgerCluster.holder(
          record, try await ledger.begin(record, LedgerCluster.whole(record, client: 1), now: Self.now)))
      #expect(try await ledger.consume(holder, bytesSent: record.size, now: Self.now))
      #expect(!pace.isLimited)
    }
  }
}
