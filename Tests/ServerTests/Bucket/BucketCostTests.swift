import FakeS3
import NIOCore
import R2Client
import Server
import Testing
import UploadCore

/// What things cost in calls: the bill, and the round trips.
struct BucketCostTests {
  @Test func smallUploadIsOnePut() async throws {
    try await BucketFixture.onFake { fixture, _ in
      for size in [0, 1, 16 << 10] {
        try await fixture.upload(try fixture.draft(), BucketFixture.bytes(size), declared: size > 1)
        #expect(fixture.log.takeCounts() == [.putObject: 1])
      }
    }
  }

  @Test func largeUploadIsItsPartsAndThreeMore() async throws {
    try await BucketFixture.onFake { fixture, _ in
      for declared in [true, false] {
        try await fixture.upload(try fixture.draft(), BucketFixture.bytes(50_000), declared: declared)
        #expect(
          fixture.log.takeCounts() == [
            .createMultipartUpload: 1, .uploadPart: 4, .putObject: 1, .completeMultipartUpload: 1,
          ])
      }
    }
  }

  /// A counted download is read in two steps: all but the last 64 KiB, then those.
  @Test(arguments: [1, 10_000, 150_000])
  func smallDownloadIsOneGet(size: Int) async throws {
    var options = BucketFixture.Options()
    options.partSize = 256 << 10
    try await BucketFixture.onFake(options) { fixture, _ in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(size))
      try await fixture.upload(draft, content, declared: true)
      _ = fixture.log.takeCounts()
      let node = fixture.otherNode()
      for expected in [[S3Operation.headObject: 1, .getObject: 1], [.getObject: 1]] {
        let reader = try #require(try await node.open(draft.id))
        let bulk = max(0, Int64(size) - 65_536)
        #expect(try await reader.prepare(0..<Int64(size)))
        var read = try await BucketFixture.read(reader, 0..<bulk)
        read += try await BucketFixture.read(reader, bulk..<Int64(size))
        #expect(read == content)
        #expect(fixture.log.takeCounts() == expected)
      }
      // The node that took the upload knows it already.
      #expect(try await fixture.download(draft.id) == content)
      #expect(fixture.log.takeCounts() == [.getObject: 1])
    }
  }

  @Test func largeDownloadIsItsWindows() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let (draft, content) = (try fixture.draft(), BucketFixture.bytes(200_000))
      try await fixture.upload(draft, content, declared: true)
      _ = fixture.log.takeCounts()
      #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
      // The digest is fetched apart, once.
      #expect(fixture.log.takeCounts() == [.headObject: 1, .getObject: 1 + 13])
    }
  }

  @Test func sweepCostsWhatHasExpired() async throws {
    try await BucketFixture.onFake { fixture, fake in
      let (client, now) = (fixture.client, fixture.clock.read())
      var live: [String] = []
      var random = SystemRandomNumberGenerator()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<11_000 {
          let expiresIn: Int64 = number < 1000 ? -3600 - Int64(number) : 3600 + Int64(number)
          let id = try #require(UploadID(expiresAt: now.adding(seconds: expiresIn), using: &random))
          if number >= 1000 { live.append("u/\(id)") }
          if number >= 16 { try await group.next() }
          group.addTask {
            _ = try await client.putObject("u/\(id)", body: ByteBuffer(string: "1234"))
            // Claims of expired ids, of some that live, and a claim of an object of another program.
            if number < 1500 { _ = try await client.putObject("c/\(id)/1", body: ByteBuffer(string: "{}")) }
            if number % 500 == 0 { _ = try await client.createMultipartUpload("u/\(id)") }
          }
        }
        try await group.waitForAll()
      }
      _ = try await client.putObject("c/legacy/abc.txt/1", body: ByteBuffer(string: "{}"))
      fake.faults { $0.reset() }
      let planned = try await fixture.store.sweep(now: now, dryRun: true)
      let swept = try await fixture.store.sweep(now: now, dryRun: false)
      print("calls of a dry run and a sweep of 1,000 expired and 10,000 live uploads: \(fake.calls)")
      #expect(fake.callCount <= 40)
      // Two of the multipart uploads have expired with their ids.
      #expect(planned.files == 1002 && planned.bytes == 4000)
      #expect(swept == planned)
      #expect(try await fixture.store.sweep(now: now, dryRun: false) == SweepReport())
      #expect(fake.keys.filter { $0.hasPrefix("u/") } == live.sorted())
      #expect(fake.keys.count { $0.hasPrefix("c/") } == 501)
      #expect(fake.openUploads == 20)
    }
  }
}
