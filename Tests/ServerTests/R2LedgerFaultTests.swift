import FakeS3
import Server
import TestKit
import Testing
import UploadCore

/// The Nth call to the store fails, for every N and in every way.
struct R2LedgerFaultTests {
  /// How far the first client goes.
  enum Course: CaseIterable {
    case consumes, gives, consumesAtOnce
  }

  private enum Outcome {
    case complete, incomplete, unknown
  }

  @Test(arguments: Course.allCases, [1, 3]) func everyCallFailsOnce(course: Course, downloads: Int) async throws {
    var runs = 0
    try await LedgerCluster.with(nodes: 2) { cluster in
      let fake = try #require(cluster.fake)
      for fault in FakeS3Fault.quick {
        for burst in [1, 2, 8] {
          var nth = 1
          while true {
            let record = try LedgerCluster.upload(downloads: downloads)
            fake.faults { plan in
              plan.reset()
              for offset in 0..<burst { plan.fail(fault, nth: nth + offset) }
            }
            let outcome = await Self.run(course, cluster.ledgers[0], record)
            let calls = fake.callCount
            fake.faults { $0.reset() }
            try await Self.check(
              outcome, cluster.ledgers[1], record, downloads, "\(fault) of call \(nth), \(burst) times")
            runs += 1
            // Beyond the last call nothing has failed.
            if calls < nth { break }
            nth += 1
          }
        }
      }
    }
    print("\(course), \(downloads) downloads: \(runs) runs")
    #expect(runs > 40)
  }

  private static func run(_ course: Course, _ ledger: R2DownloadLedger, _ record: UploadRecord) async -> Outcome {
    let now = LedgerCluster.start
    let request = LedgerCluster.whole(record, client: 1)
    var wasAsked = false
    do {
      if course == .consumesAtOnce {
        wasAsked = true
        return LedgerCluster.holder(record, try await ledger.beginAndConsume(record, request, now: now)) == nil
          ? .incomplete : .complete
      }
      guard let holder = LedgerCluster.holder(record, try await ledger.begin(record, request, now: now)) else {
        return .incomplete
      }
      if course == .gives {
        try await ledger.release(holder, bytesSent: 0, now: now)
        return .incomplete
      }
      wasAsked = true
      return try await ledger.consume(holder, bytesSent: record.size, now: now) ? .complete : .incomplete
    } catch {
      return wasAsked ? .unknown : .incomplete
    }
  }

  /// Another node delivers what is left when the leases are over.
  private static func check(
    _ outcome: Outcome, _ ledger: R2DownloadLedger, _ record: UploadRecord, _ downloads: Int, _ fault: String
  ) async throws {
    let later = LedgerCluster.start.adding(seconds: LedgerCluster.leaseSeconds)
    var deliveries = 0
    while let holder = LedgerCluster.holder(
      record, try await ledger.begin(record, LedgerCluster.whole(record, client: 2), now: later))
    {
      try #require(try await ledger.consume(holder, bytesSent: record.size, now: later), "\(fault)")
      deliveries += 1
    }
    switch outcome {
    case .complete: #expect(deliveries == downloads - 1, "\(fault)")
    case .incomplete: #expect(deliveries == downloads, "\(fault)")
    case .unknown: #expect(deliveries == downloads || deliveries == downloads - 1, "\(fault)")
    }
  }
}
