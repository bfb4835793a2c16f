import Server
import TestKit
import Testing
import UploadCore

struct R2LedgerContractTests {
  @Test(arguments: LedgerCluster.Place.allCases)
  func r2DownloadLedger(place: LedgerCluster.Place) async throws {
    try await LedgerCluster.with(place) { cluster in
      let contract = DownloadLedgerContract(
        cluster.ledgers[0], start: LedgerCluster.start, leaseSeconds: LedgerCluster.leaseSeconds,
        resumeSeconds: LedgerCluster.resumeSeconds
      ) { try LedgerCluster.upload(downloads: $0, size: $1) }
      try await contract.run()
    }
  }

  /// Every request may meet another node, so what a node remembers must not matter.
  @Test(arguments: [LedgerCluster.Place.fake, .radosgw])
  func requestsThatMeetDifferentNodes(place: LedgerCluster.Place) async throws {
    try await LedgerCluster.with(place, nodes: 3) { cluster in
      let contract = DownloadLedgerContract(
        RotatingLedger(cluster.ledgers), start: LedgerCluster.start, leaseSeconds: LedgerCluster.leaseSeconds,
        resumeSeconds: LedgerCluster.resumeSeconds, isOneProcess: false
      ) { try LedgerCluster.upload(downloads: $0, size: $1) }
      try await contract.run()
    }
  }

  @Test(arguments: [LedgerCluster.Place.fake, .radosgw])
  func whatIsBuriedIsGone(place: LedgerCluster.Place) async throws {
    try await LedgerCluster.with(place, nodes: 2) { cluster in
      let (here, there) = (cluster.ledgers[0], cluster.ledgers[1])
      let record = try LedgerCluster.upload(downloads: 3)
      let request = LedgerCluster.whole(record, client: 1)
      #expect(try await here.tombstone(record.id) == nil)
      try await here.bury(record.id, .deleted)
      try await here.bury(record.id, .deleted)
      #expect(try await here.begin(record, request, now: LedgerCluster.start) == .gone)
      #expect(try await there.begin(record, request, now: LedgerCluster.start) == .gone)
      #expect(try await there.tombstone(record.id) == .deleted)
      try await there.bury(record.id, .blocked)
      try await here.bury(record.id, .deleted)
      #expect(try await here.tombstone(record.id) == .blocked)
    }
  }
}
