import FakeS3
import NIOCore
import R2Client
import Server
import TestKit
import Testing
import UploadCore

/// What cannot be removed is told, and keeps nothing else from being removed.
struct BucketCleanupTests {
  /// A node's journal and its cleanup, over the fake.
  private static func with(
    _ test: (BucketFixture, FakeS3, NodeJournal, BucketCleanup) async throws -> Void
  ) async throws {
    var options = BucketFixture.Options()
    options.retry = .none
    try await BucketFixture.onFake(options) { fixture, fake in
      let index = try UploadIndex.open(dataDirectory: fixture.scratch.path)
      let journal = NodeJournal(index: index)
      let legacy = LegacyObjects(
        client: fixture.client, directory: fixture.directory, journal: journal, maxAge: 3600)
      let cleanup = BucketCleanup(
        client: fixture.client, store: fixture.store, journal: journal, legacy: legacy, logger: Fixture.logger)
      try await test(fixture, fake, journal, cleanup)
      try index.close()
    }
  }

  private static func lock(_ key: String, _ fixture: BucketFixture) async throws {
    _ = try await fixture.client.putObject(
      key, body: ByteBuffer(string: "x"), headers: S3ObjectHeaders(userMetadata: ["locked": "true"]))
  }

  /// The start of a server waits for no upload that cannot be aborted; the next start tries again.
  @Test(arguments: [FakeS3Fault.internalError, .throttled, .reset, .lostAnswer])
  func recoveryDoesNotKeepTheServerFromStarting(fault: FakeS3Fault) async throws {
    try await Self.with { fixture, fake, journal, cleanup in
      for number in 1...3 {
        let key = "u/\(try fixture.draft().id)"
        let uploadID = try await fixture.client.createMultipartUpload(key)
        try await journal.began(.init(key: key, uploadID: "\(uploadID)"))
        if number == 1 { fake.faults { $0.fail(fault, of: "AbortMultipartUpload") } }
      }
      #expect(try await cleanup.recover() == 2)
      fake.faults { $0.reset() }
      // Also tried again while the server runs.
      #expect(try await cleanup.run(now: fixture.clock.read(), dryRun: false).failures == 0)
      #expect(fake.openUploads == 0)
      #expect(try await journal.multiparts().isEmpty)
      #expect(try await cleanup.recover() == 0)
    }
  }

  /// One upload that the store has forgotten is no failure, and does not stand in the way of the others.
  @Test func recoveryOfAForgottenUpload() async throws {
    try await Self.with { fixture, fake, journal, cleanup in
      let key = "u/\(try fixture.draft().id)"
      try await journal.began(.init(key: key, uploadID: "forgotten"))
      try await journal.began(.init(key: key, uploadID: try await fixture.client.createMultipartUpload(key)))
      _ = try await cleanup.recover()
      #expect(fake.openUploads == 0)
      #expect(try await journal.multiparts().isEmpty)
    }
  }

  @Test func oneDebtThatCannotBePaid() async throws {
    try await Self.with { fixture, fake, journal, cleanup in
      let now = fixture.clock.read()
      var keys: [String] = []
      for number in 0..<5 {
        let id = try fixture.draft().id
        keys.append("u/\(id)")
        if number == 0 {
          try await Self.lock(keys[0], fixture)
        } else {
          _ = try await fixture.client.putObject(keys[number], body: ByteBuffer(string: "x"))
        }
        try await journal.owe(.init(id: id, key: keys[number]), due: now)
      }
      let report = try await cleanup.run(now: now, dryRun: false)
      #expect(report.deletedObjects == 4 && report.reasons == ["owed": 4] && report.failures == 1)
      #expect(fake.keys == [keys[0]])
      #expect(try await journal.due(now: now, limit: 10).map(\.key) == [keys[0]])
    }
  }

  /// The claims of an object that stays do so too: what says how often it may be downloaded is there as long as it is.
  @Test func oneExpiredObjectThatCannotBeRemoved() async throws {
    try await Self.with { fixture, fake, _, cleanup in
      let stays = try fixture.draft(expiresIn: 60).id
      try await Self.lock("u/\(stays)", fixture)
      _ = try await fixture.client.putObject("c/\(stays)/1", body: ByteBuffer(string: "x"))
      for _ in 0..<3 {
        let draft = try fixture.draft(expiresIn: 90)
        try await fixture.upload(draft, BucketFixture.bytes(20_000), declared: true)
      }
      fixture.clock.advance(seconds: 7200)
      let report = try await cleanup.run(now: fixture.clock.read(), dryRun: false)
      #expect(report.deletedObjects == 3 && report.failures == 1)
      #expect(fake.keys == ["c/\(stays)/1", "u/\(stays)"])
    }
  }
}
