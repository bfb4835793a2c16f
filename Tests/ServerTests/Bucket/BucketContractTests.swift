import FakeS3
import NIOCore
import R2Client
import Server
import Synchronization
import TestKit
import Testing
import UploadCore

struct BucketContractTests {
  private static func run(_ fixture: BucketFixture) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var contract = BlobStoreContract(fixture.store, seed: seed, now: fixture.clock.read())
    try await contract.run()
    #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
    #expect(fixture.log.openMultiparts.withLock { $0 }.isEmpty)
  }

  /// Small parts, plenty of memory and next to none, R2's own sizes.
  @Test(arguments: [(64 << 10, 16 << 20), (64 << 10, 64 << 10), (8 << 20, 48 << 20)])
  func fake(partSize: Int, budget: Int) async throws {
    var options = BucketFixture.Options()
    options.partSize = partSize
    options.budget = budget
    try await BucketFixture.onFake(options) { fixture, fake in
      try await Self.run(fixture)
      #expect(fake.openUploads == 0)
    }
  }

  @Test func radosgw() async throws {
    var options = BucketFixture.Options()
    options.partSize = 8 << 20
    options.budget = 48 << 20
    try await BucketFixture.onRadosgw(options) { fixture in
      try await Self.run(fixture)
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(20_000_001))
      try await fixture.upload(draft, content, declared: false, chunk: 100_000)
      #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
      try await fixture.store.delete(draft.id)
      #expect(try await fixture.store.open(draft.id) == nil)
    }
  }

  /// All that is known of an upload comes back from the bucket alone.
  @Test(arguments: [0, 100, 50_000])
  func recordsComeBack(size: Int) async throws {
    try await BucketFixture.onFake { fixture, _ in
      var draft = try fixture.draft()
      let digest = try await fixture.upload(draft, BucketFixture.bytes(size), declared: true)
      draft.size = Int64(size)
      draft.sha256 = digest.sha256
      let directory = ObjectDirectory(client: fixture.client)
      #expect(try await directory.record(draft.id)?.record == draft)
    }
  }

  /// A lost digest object costs the digest, not the download.
  @Test func lostDigestDoesNotLoseTheFile() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(50_000))
      try await fixture.upload(draft, content, declared: true)
      try await fixture.client.deleteObject("c/\(draft.id)/digest")
      #expect(try await ObjectDirectory(client: fixture.client).record(draft.id)?.record.sha256 == [])
      #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
    }
  }

  @Test func isNotPublishedAfterItsTime() async throws {
    try await BucketFixture.onFake { fixture, fake in
      for size in [10, 50_000] {
        let draft = try fixture.draft(expiresIn: 60)
        let writer = try await fixture.store.create(draft, declaredSize: nil)
        var pieces = [BucketFixture.bytes(size)]
        _ = try await writer.receive { pieces.popLast().map { .init(bytes: $0) } }
        fixture.clock.advance(seconds: 60)
        await #expect { try await writer.publish() } throws: { if case StoreError.expired = $0 { true } else { false } }
        await writer.discard()
        #expect(fake.keys.isEmpty && fake.openUploads == 0)
      }
    }
  }

  /// Another node's deletion is found before the answer begins.
  @Test func blobsOfOtherNodesCanGo() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let draft = try fixture.draft()
      try await fixture.upload(draft, BucketFixture.bytes(10), declared: true)
      try await fixture.otherNode().delete(draft.id)
      #expect(try await fixture.download(draft.id) == nil)
      #expect(try await fixture.store.open(draft.id) == nil)
    }
  }

  /// The parts of a large upload do not replace another upload of the same id, nor its digest.
  @Test(arguments: [10, 50_000])
  func largeUploadsTakeNamesOnce(first: Int) async throws {
    try await BucketFixture.onFake { fixture, fake in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(first))
      let digest = try await fixture.upload(draft, content, declared: true)
      let keys = fake.keys
      await #expect {
        try await fixture.upload(draft, BucketFixture.bytes(60_000, seed: 2), declared: true)
      } throws: {
        if case StoreError.exists(draft.id) = $0 { true } else { false }
      }
      #expect(fake.keys == keys && fake.openUploads == 0)
      #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
      #expect(try await ObjectDirectory(client: fixture.client).record(draft.id)?.record.sha256 == digest.sha256)
    }
  }
}
