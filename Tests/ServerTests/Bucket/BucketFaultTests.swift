import FakeS3
import Foundation
import NIOCore
import R2Client
import Server
import TestKit
import Testing
import UploadCore

/// Every call to the store fails once, in every way: what was acknowledged is whole, what failed leaves nothing.
struct BucketFaultTests {
  /// With the client's repetitions, and with none: then every fault is seen.
  private static func options(repeats: Bool, _ fault: FakeS3Fault) -> BucketFixture.Options {
    var options = BucketFixture.Options()
    if !repeats { options.retry = .none }
    if fault == .stall || fault == .stalledAnswer { options.patience = .seconds(2) }
    return options
  }

  /// Fails call 1, 2, … of `action`, which tells how many it has made, until it is through without the fault.
  private static func failEveryCall(
    _ fake: FakeS3, _ fault: FakeS3Fault, _ action: (Int) async throws -> Int
  ) async throws {
    defer { fake.faults { $0.reset() } }
    for number in 1...100 {
      fake.faults {
        $0.reset()
        $0.fail(fault, nth: number)
      }
      if try await action(number) < number { return }
    }
    Issue.record("the action does not end")
  }

  private static func expectNothingAfterSweep(_ fixture: BucketFixture, _ fake: FakeS3, _ context: String) async throws
  {
    fake.faults { $0.reset() }
    fixture.clock.advance(seconds: 7200)
    _ = try await fixture.otherNode().sweep(now: fixture.clock.read(), dryRun: false)
    #expect(fake.keys.isEmpty, "\(context)")
    #expect(fake.openUploads == 0, "\(context)")
    #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 }, "\(context)")
  }

  @Test(arguments: FakeS3Fault.allCases, [true, false])
  func upload(fault: FakeS3Fault, repeats: Bool) async throws {
    try await BucketFixture.onFake(Self.options(repeats: repeats, fault)) { fixture, fake in
      for (size, declared) in [(100, true), (50_000, true), (50_000, false)] {
        let content = BucketFixture.bytes(size)
        var acknowledged = 0
        try await Self.failEveryCall(fake, fault) { number in
          let context = "call \(number) of \(size) bytes: \(fault)"
          let draft = try fixture.draft()
          var calls = 0
          do {
            try await fixture.upload(draft, content, declared: declared)
            acknowledged += 1
            calls = fake.callCount
            fake.faults { $0.reset() }
            #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content, "\(context)")
          } catch {
            calls = fake.callCount
            #expect(error is StoreError, "\(context): \(error)")
            // Connections that went deaf behind a whole answer, also of calls before, are found by whoever uses them next. A store
            // that is silent is not asked again while the client waits: then the sweep takes what is left.
            #expect(fault == .stalledAnswer || fake.keys.isEmpty, "\(context): \(error)")
          }
          try await Self.expectNothingAfterSweep(fixture, fake, context)
          return calls
        }
        #expect(acknowledged > 0)
      }
    }
  }

  @Test(arguments: FakeS3Fault.allCases, [true, false])
  func download(fault: FakeS3Fault, repeats: Bool) async throws {
    try await BucketFixture.onFake(Self.options(repeats: repeats, fault)) { fixture, fake in
      for size in [100, 150_000] {
        let (draft, content) = (try fixture.draft(), BucketFixture.bytes(size))
        try await fixture.upload(draft, content, declared: true)
        try await Self.failEveryCall(fake, fault) { number in
          do {
            let read = try await fixture.download(draft.id, from: fixture.otherNode())
            #expect(read == content, "call \(number) of \(size) bytes: \(fault)")
          } catch {
            #expect(error is StoreError, "\(error)")
            // What can be tried again is tried again, unseen. (An error that looks like a success is none of those.)
            #expect(!repeats || fault == .errorInAnswer, "call \(number) of \(size) bytes: \(fault): \(error)")
          }
          return fake.callCount
        }
        #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
      }
    }
  }

  @Test(arguments: FakeS3Fault.allCases)
  func deletion(fault: FakeS3Fault) async throws {
    try await BucketFixture.onFake(Self.options(repeats: false, fault)) { fixture, fake in
      try await Self.failEveryCall(fake, fault) { number in
        let draft = try fixture.draft()
        let isHit = number == 1
        fake.faults { $0.reset() }
        // A connection that went deaf behind a whole answer is found by whoever uses it next.
        _ = try? await fixture.client.listObjectsV2(maxKeys: 1)
        try await fixture.upload(draft, [1, 2, 3], declared: true)
        fake.faults {
          $0.reset()
          $0.fail(fault, nth: number)
        }
        do {
          try await fixture.store.delete(draft.id)
          // A DELETE has no body that could hold an error.
          #expect(fake.keys.isEmpty || fault == .errorInAnswer)
        } catch {
          #expect(isHit, "\(error)")
        }
        let calls = fake.callCount
        fake.faults { $0.reset() }
        try await fixture.otherNode().delete(draft.id)
        #expect(try await fixture.otherNode().open(draft.id) == nil)
        return calls
      }
    }
  }

  @Test(arguments: FakeS3Fault.allCases)
  func sweep(fault: FakeS3Fault) async throws {
    try await BucketFixture.onFake(Self.options(repeats: false, fault)) { fixture, fake in
      for number in 1...10 {
        let (dies, lives) = (try fixture.draft(expiresIn: 60), try fixture.draft(expiresIn: 1_000_000))
        // By another node: a connection of this one may have gone deaf behind a whole answer in the round before.
        for draft in [dies, lives] {
          try await fixture.upload(draft, BucketFixture.bytes(20_000), declared: true, to: fixture.otherNode())
        }
        _ = try await fixture.otherClient.createMultipartUpload("u/\(dies.id)")
        fixture.clock.advance(seconds: 7200)
        fake.faults {
          $0.reset()
          $0.fail(fault, nth: number)
        }
        _ = try? await fixture.store.sweep(now: fixture.clock.read(), dryRun: false)
        fake.faults { $0.reset() }
        _ = try await fixture.otherNode().sweep(now: fixture.clock.read(), dryRun: false)
        #expect(fake.keys == ["c/\(lives.id)/digest", "u/\(lives.id)"], "call \(number)")
        #expect(fake.openUploads == 0)
        try await fixture.otherNode().delete(lives.id)
        try await fixture.otherClient.deleteObject("c/\(lives.id)/digest")
      }
    }
  }

  /// R2 answers a repeated write of the same second with 429, also when the first has succeeded.
  @Test(arguments: [100, 50_000])
  func lostAnswersWithinTheWriteInterval(size: Int) async throws {
    var options = BucketFixture.Options()
    options.writeInterval = .seconds(3600)
    try await BucketFixture.onFake(options) { fixture, fake in
      let content = BucketFixture.bytes(size)
      try await Self.failEveryCall(fake, .lostAnswer) { number in
        let draft = try fixture.draft()
        try await fixture.upload(draft, content, declared: true)
        let calls = fake.callCount
        #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content, "call \(number)")
        return calls
      }
    }
  }

  @Test func randomFaults() async throws {
    let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    try await BucketFixture.onFake { fixture, fake in
      var kept: [(UploadRecord, [UInt8])] = []
      fake.faults { $0.failAtRandom(seed: seed, rate: 0.25) }
      for _ in 0..<150 {
        let content = BucketFixture.bytes(Int.random(in: 0...80_000, using: &random), seed: random.next())
        let draft = try fixture.draft()
        if (try? await fixture.upload(draft, content, declared: Bool.random(using: &random))) != nil {
          kept.append((draft, content))
        }
        if let (draft, content) = kept.randomElement(using: &random),
          let read = try? await fixture.download(draft.id, from: fixture.otherNode())
        {
          #expect(read == content)
        }
      }
      fake.faults { $0.reset() }
      for (draft, content) in kept {
        #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
      }
      let known = Set(kept.map { "u/\($0.0.id)" })
      print("\(kept.count) of 150 uploads were acknowledged; \(fake.keys.count { $0.hasPrefix("u/") }) objects")
      #expect(known.isSubset(of: fake.keys))
      try await Self.expectNothingAfterSweep(fixture, fake, "seed \(seed)")
    }
  }
}
