import FakeS3
import NIOCore
import R2Client
import Server
import TestKit
import Testing
import UploadCore

struct BucketReaderTests {
  /// Streams that break off, stop, or are refused are continued at the exact byte.
  @Test(arguments: [FakeS3Fault.truncatedAnswer, .stalledAnswer, .lostAnswer, .unavailable], [0, 1 << 20])
  func brokenStreamsContinue(fault: FakeS3Fault, budget: Int) async throws {
    var options = BucketFixture.Options()
    options.partSize = 128 << 10
    // Without memory there is one stream at a time, else there are windows ahead.
    options.budget = budget
    options.patience = fault == .stalledAnswer ? .seconds(2) : .seconds(30)
    try await BucketFixture.onFake(options) { fixture, fake in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(700_001))
      try await fixture.upload(draft, content, declared: true, chunk: 50_000)
      let size = Int64(content.count)
      for nth in 1...4 {
        let reader = try #require(try await fixture.store.open(draft.id))
        #expect(try await reader.prepare(0..<size))
        // Twice in a row: each continues from where the one before has ended.
        fake.faults { plan in
          plan.reset()
          for number in nth..<(nth + 2) { plan.fail(fault, of: "GetObject", nth: number) }
        }
        #expect(try await BucketFixture.read(reader, 0..<size) == content)
      }
      fake.faults { $0.reset() }
      let first = try #require(try await fixture.store.open(draft.id))
      fake.faults { $0.fail(fault, of: "GetObject", nth: 1) }
      #expect(try await first.prepare(0..<size))
      #expect(try await BucketFixture.read(first, 0..<(size - 65_536)) == Array(content.dropLast(65_536)))
      #expect(try await BucketFixture.read(first, (size - 65_536)..<size) == Array(content.suffix(65_536)))
    }
  }

  /// A store that is away for good ends the download with an error, not with a short file.
  @Test func endlessFaultsEndTheRead() async throws {
    try await BucketFixture.onFake { fixture, fake in
      let draft = try fixture.draft()
      try await fixture.upload(draft, BucketFixture.bytes(200_000), declared: true)
      let reader = try #require(try await fixture.store.open(draft.id))
      #expect(try await reader.prepare(0..<200_000))
      fake.faults { $0.failAtRandom(seed: 1, rate: 1, [.unavailable]) }
      await #expect(throws: StoreError.self) { try await BucketFixture.read(reader, 0..<200_000) }
      #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
    }
  }

  @Test func everyRangeIsExact() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(150_000))
      try await fixture.upload(draft, content, declared: true)
      let edges = [0, 1, 16_383, 16_384, 16_385, 65_536, 84_463, 84_464, 84_465, 131_072, 149_999, 150_000]
      let reused = try #require(try await fixture.store.open(draft.id))
      for lower in edges {
        for upper in edges where upper >= lower {
          let range = Int64(lower)..<Int64(upper)
          let reader = (lower + upper) % 2 == 0 ? reused : try #require(try await fixture.store.open(draft.id))
          if upper % 3 == 0 { #expect(try await reader.prepare(range)) }
          #expect(try await BucketFixture.read(reader, range) == Array(content[lower..<upper]), "\(range)")
        }
      }
    }
  }

  /// The bytes behind an id never change, but should they, a download never mixes two files.
  @Test func anotherObjectIsNotDelivered() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let draft = try fixture.draft()
      try await fixture.upload(draft, BucketFixture.bytes(150_000), declared: true)
      let reader = try #require(try await fixture.store.open(draft.id))
      _ = try await fixture.client.putObject("u/\(draft.id)", body: ByteBuffer(repeating: 0, count: 150_000))
      #expect(try await reader.prepare(0..<150_000) == false)
      await #expect(throws: StoreError.self) { try await BucketFixture.read(reader, 0..<150_000) }
    }
  }

  @Test func checkTellsWhatIsWrong() async throws {
    try await BucketFixture.onFake { fixture, fake in
      try await fixture.store.check()
      let place = R2Configuration(endpoint: fake.endpoint, region: "auto", bucket: "nowhere")
      let keys = S3Credentials(accessKeyID: fake.rules.accessKeyID, secretAccessKey: fake.rules.secretAccessKey)
      let client = try R2Client(configuration: place, credentials: keys, eventLoopGroup: Fixture.group)
      let store = R2BlobStore(
        client: client, directory: ObjectDirectory(client: client), budget: fixture.budget,
        scratch: fixture.scratch.path, pool: Fixture.pool, eventLoopGroup: Fixture.group, now: fixture.clock.read)
      await #expect { try await store.check() } throws: { error in
        if case StoreError.unavailable(let reason, _) = error {
          reason.contains("no bucket \"nowhere\"")
        } else {
          false
        }
      }
      try await client.shutdown()
    }
  }
}
