import Foundation
import NIOCore
import Server
import TestKit
import Testing
import UploadCore

struct ContractTests {
  @Test(arguments: LocalBlobStore.Naming.allCases)
  func localBlobStore(naming: LocalBlobStore.Naming) async throws {
    let fixture = try Fixture(ways: [naming])
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var contract = BlobStoreContract(fixture.store, seed: seed, now: fixture.clock.read())
    try await contract.run()
  }

  @Test func sqliteDownloadLedger() async throws {
    let fixture = try Fixture()
    let contract = DownloadLedgerContract(
      fixture.ledger(leaseSeconds: 10, resumeSeconds: 20), start: fixture.clock.read(), leaseSeconds: 10,
      resumeSeconds: 20
    ) { try await fixture.makeRow(downloads: $0, size: $1) }
    try await contract.run()
  }

  /// An abandoned temporary file (its writer is dead, so nobody holds the lock) is swept; one in use is not.
  @Test func sweepTellsDeadWritersFromLiving() async throws {
    let fixture = try Fixture(ways: [.linked])
    let draft = try await fixture.makeRow(downloads: 1, size: 0, expiresIn: 60)
    let living = try await fixture.store.create(draft, declaredSize: nil)
    var pieces = [ByteBuffer(repeating: 1, count: 100_000)]
    _ = try await living.receive { pieces.popLast() }
    try [UInt8](repeating: 0, count: 10).withUnsafeBytes {
      try #require(FileManager.default.createFile(atPath: fixture.scratch.path + "/tmp/dead", contents: Data($0)))
    }
    #expect(try await fixture.store.sweep(now: fixture.clock.read(), dryRun: false).files == 1)
    #expect(try fixture.files().count == 1)
    await living.discard()
    #expect(try fixture.files().isEmpty)
  }
}
