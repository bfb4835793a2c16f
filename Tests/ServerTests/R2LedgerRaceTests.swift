import FakeS3
import Server
import Synchronization
import TestKit
import Testing
import UploadCore

/// Promises P1 and P2 with several nodes and many clients at once.
struct R2LedgerRaceTests {
  private static let clients = 32

  /// What happened to the leases of one upload.
  private final class Tally: Sendable {
    struct Counts {
      var leases = 0
      var consumed: Set<UInt64> = []
      /// Who was told neither yes nor no.
      var unknown: Set<UInt64> = []
      var failures = 0

      mutating func add(_ other: Counts) {
        leases += other.leases
        consumed.formUnion(other.consumed)
        unknown.formUnion(other.unknown)
        failures += other.failures
      }
    }

    let counts = Mutex(Counts())
  }

  @Test(arguments: [(1, LedgerCluster.Place.fake), (3, .fake), (1, .limitedFake), (1, .radosgw), (3, .radosgw)])
  func exactlyNDownloads(downloads: Int, place: LedgerCluster.Place) async throws {
    try await LedgerCluster.with(place, nodes: 3) { cluster in
      for round in 0..<(place == .fake ? 30 : 8) {
        let record = try LedgerCluster.upload(downloads: downloads)
        let tally = Tally()
        await withTaskGroup { group in
          for client in 0..<Self.clients {
            group.addTask {
              let ledger = cluster.ledgers[client % 3]
              guard let holder = await Self.begin(ledger, record, client, tally) else { return }
              await Self.consume(ledger, holder, tally)
            }
          }
        }
        let counts = tally.counts.withLock { $0 }
        #expect(counts.consumed.count == downloads, "round \(round)")
        #expect(counts.leases == downloads, "round \(round)")
        #expect(counts.failures == 0, "round \(round)")
        for ledger in cluster.ledgers {
          #expect(
            try await ledger.begin(record, LedgerCluster.whole(record, client: 1), now: LedgerCluster.start) == .gone)
        }
        #expect(cluster.reports.all.contains(record.id))
      }
    }
  }

  /// Clients that finish, give up or vanish, and a store that fails at random, before and after the effect.
  @Test(arguments: [1, 3]) func neverMoreThanNWhateverFails(downloads: Int) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    try await LedgerCluster.with(nodes: 3) { cluster in
      let fake = try #require(cluster.fake)
      var random = SeededRandom(seed: seed)
      var total = Tally.Counts()
      for round in 0..<40 {
        let record = try LedgerCluster.upload(downloads: downloads)
        let tally = Tally()
        let roundSeed = random.next()
        fake.faults { $0.failAtRandom(seed: roundSeed, rate: 0.4) }
        let fates = (0..<Self.clients).map { _ in Int.random(in: 0..<4, using: &random) }
        await withTaskGroup { group in
          for client in 0..<Self.clients {
            group.addTask {
              let ledger = cluster.ledgers[client % 3]
              guard let holder = await Self.begin(ledger, record, client, tally) else { return }
              switch fates[client] {
              case 0, 1: await Self.consume(ledger, holder, tally)
              case 2: try? await ledger.release(holder, bytesSent: 0, now: LedgerCluster.start)
              default: break
              }
            }
          }
        }
        fake.faults { $0.reset() }
        try await Self.checkPromises(cluster.newLedger(), record, downloads, tally, "seed \(seed), round \(round)")
        total.add(tally.counts.withLock { $0 })
      }
      print(
        "\(downloads) downloads: \(total.leases) leases, \(total.consumed.count) consumed, "
          + "\(total.unknown.count) unknown, \(total.failures) calls failed")
      #expect(total.consumed.count > 10)
    }
  }

  /// What is stored is what was said, and what is not consumed can be had when the leases are over.
  private static func checkPromises(
    _ ledger: R2DownloadLedger, _ record: UploadRecord, _ downloads: Int, _ tally: Tally, _ round: String
  ) async throws {
    let limit = try #require(record.maxDownloads)
    let counts = tally.counts.withLock { $0 }
    let consumers = try await ledger.slots(record.id, limit: limit).filter(\.isConsumed).compactMap(\.consumedBy)
    #expect(counts.consumed.count <= downloads, "\(round)")
    #expect(counts.consumed.isSubset(of: consumers), "\(round)")
    #expect(Set(consumers).isSubset(of: counts.consumed.union(counts.unknown)), "\(round)")
    let later = LedgerCluster.start.adding(seconds: LedgerCluster.leaseSeconds)
    for client in 0..<(downloads - consumers.count) {
      let decision = try await ledger.begin(record, LedgerCluster.whole(record, client: 100 + client), now: later)
      let holder = try #require(LedgerCluster.holder(record, decision), "\(round)")
      #expect(try await ledger.consume(holder, bytesSent: record.size, now: later), "\(round)")
    }
    let last = try await ledger.begin(record, LedgerCluster.whole(record, client: 200), now: later)
    #expect(last == .gone, "\(round)")
  }

  private static func begin(
    _ ledger: R2DownloadLedger, _ record: UploadRecord, _ client: Int, _ tally: Tally
  ) async -> SlotHolder? {
    do {
      let decision = try await ledger.begin(
        record, LedgerCluster.whole(record, client: client), now: LedgerCluster.start)
      guard let holder = LedgerCluster.holder(record, decision) else { return nil }
      tally.counts.withLock { $0.leases += 1 }
      return holder
    } catch {
      tally.counts.withLock { $0.failures += 1 }
      return nil
    }
  }

  private static func consume(_ ledger: R2DownloadLedger, _ holder: SlotHolder, _ tally: Tally) async {
    do {
      if try await ledger.consume(holder, bytesSent: holder.size, now: LedgerCluster.start) {
        tally.counts.withLock { _ = $0.consumed.insert(holder.nonce) }
      }
    } catch {
      tally.counts.withLock { counts in
        counts.unknown.insert(holder.nonce)
        counts.failures += 1
      }
    }
  }
}
