import FakeS3
import NIOCore
import R2Client
import Synchronization
import Testing

/// What is repeated and what is not, with every fault at every call.
struct RetryTests {
  static let body = ByteBuffer(repeating: 7, count: 200_000)

  /// Whatever happens to any one call, the whole still succeeds: everything in it can be repeated.
  @Test(arguments: FakeS3Fault.quick)
  func anyOneCallMayFail(_ fault: FakeS3Fault) async throws {
    for nth in 1...8 {
      try await FaultyStore.with { store in
        store.fake.faults { $0.fail(fault, nth: nth) }
        _ = try await store.client.putObject("k", body: Self.body)
        #expect(try await store.client.headObject("k").size == 200_000)
        #expect(try await store.client.listObjectsV2().objects.map(\.key) == ["k"])
        let id = try await store.client.createMultipartUpload("m")
        let part = try await store.client.uploadPart("m", uploadID: id, partNumber: 1, body: Self.body)
        try await store.client.abortMultipartUpload("m", uploadID: id)
        #expect(part.size == 200_000)
        #expect(try await store.client.deleteObjects(["k"]) == [])
        #expect(store.fake.callCount >= 7)
      }
    }
  }

  /// What fails slowly is not repeated for as long as what fails at once.
  @Test(arguments: [(Duration.zero, 1), (.seconds(60), 2)])
  func noAttemptBeginsWhenThePatienceIsOver(patience: Duration, attempts: Int) async throws {
    try await FaultyStore.with(options: { $0.retry.patience = patience }) { store in
      store.fake.faults { $0.fail(.internalError) }
      let error = try await store.failure { try await $0.headBucket() }
      #expect(store.fake.callCount == attempts)
      #expect((error == nil) == (attempts == 2))
    }
  }

  @Test(arguments: FakeS3Fault.quick)
  func conditionalWritesAreNotRepeated(_ fault: FakeS3Fault) async throws {
    try await FaultyStore.with { store in
      store.fake.faults { $0.fail(fault) }
      let error = try await store.failure { try await $0.putObject("k", body: Self.body, condition: .ifAbsent) }
      // An answer without a body cannot be truncated in it.
      if fault == .truncatedAnswer && error == nil { return }
      #expect(error?.outcomeUnknown == true)
      #expect(store.fake.callCount == 1)
      // So the caller reads back.
      #expect(store.fake.keys == (fault.hasEffect ? ["k"] : []))
    }
  }

  @Test func repeatingAConditionalWriteIsTheCallersChoice() async throws {
    try await FaultyStore.with { store in
      store.fake.faults { $0.fail(.lostAnswer) }
      let error = try await store.failure {
        try await $0.putObject("k", body: Self.body, condition: .ifAbsent, repeats: .always)
      }
      #expect(error?.isPreconditionFailed == true)
      #expect(error?.outcomeUnknown == true)
      #expect(error?.attempts == 2)
      store.fake.faults { $0.fail(.unavailable) }
      let never = try await store.failure { try await $0.putObject("n", body: Self.body, repeats: .never) }
      #expect(never?.attempts == 1)
    }
  }

  @Test func completeThatWasLostSaysSo() async throws {
    try await FaultyStore.with { store in
      let id = try await store.client.createMultipartUpload("k")
      let part = try await store.client.uploadPart("k", uploadID: id, partNumber: 1, body: Self.body)
      store.fake.faults { $0.fail(.lostAnswer, of: "CompleteMultipartUpload") }
      let error = try await store.failure { try await $0.completeMultipartUpload("k", uploadID: id, parts: [part]) }
      #expect(error?.code == .noSuchUpload)
      #expect(error?.outcomeUnknown == true)
      #expect(store.fake.keys == ["k"])
    }
  }

  @Test func anErrorWithinSuccessIsAnError() async throws {
    try await FaultyStore.with { store in
      let id = try await store.client.createMultipartUpload("k")
      let part = try await store.client.uploadPart("k", uploadID: id, partNumber: 1, body: Self.body)
      store.fake.faults { $0.fail(.errorInAnswer, of: "CompleteMultipartUpload") }
      let error = try await store.failure { try await $0.completeMultipartUpload("k", uploadID: id, parts: [part]) }
      #expect(error?.code == .internalError)
      #expect(error?.status == 200)
      #expect(error?.outcomeUnknown == true)
    }
  }

  @Test(arguments: [FakeS3Fault.reset, .lostAnswer, .internalError])
  func aStreamedBodyIsSentOnce(_ fault: FakeS3Fault) async throws {
    try await FaultyStore.with { store in
      store.fake.faults { $0.fail(fault) }
      let error = try await store.failure {
        try await $0.putObject("k", contentLength: 200_000) { try await $0.write(Self.body) }
      }
      #expect(error?.attempts == 1)
      #expect(error?.outcomeUnknown == true)
      #expect(store.fake.callCount == 1)
    }
  }

  @Test func pausesGrowAndRetryAfterIsHonoured() async throws {
    try await FaultyStore.with { store in
      store.fake.faults { plan in for nth in 1...4 { plan.fail(.internalError, nth: nth) } }
      _ = try await store.client.putObject("k", body: Self.body)
      #expect(
        store.log.pauses.withLock { $0 } == [
          .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800),
        ])
      store.fake.faults { $0.fail(.throttled, retryAfter: 3) }
      _ = try await store.client.putObject("k", body: Self.body)
      #expect(store.log.pauses.withLock { $0.last } == .seconds(3))
      store.fake.faults { $0.fail(.throttled, retryAfter: 3600) }
      #expect(try await store.failure { try await $0.putObject("k", body: Self.body) }?.retryAfter == .seconds(3600))
    }
  }

  @Test func theBudgetIsShared() async throws {
    try await FaultyStore.with(options: { options in
      options.retry.budget = 3
      options.retry.budgetPerSuccess = 1
    }) { store in
      store.fake.faults { $0.failAtRandom(seed: 1, rate: 1, [.unavailable]) }
      #expect(try await store.failure { try await $0.headObject("a") }?.attempts == 4)
      #expect(try await store.failure { try await $0.headObject("a") }?.attempts == 1)
      store.fake.faults { $0.reset() }
      try await store.client.headBucket()
      store.fake.faults { $0.fail(.unavailable) }
      try await store.client.headBucket()
    }
  }

  @Test func everyAttemptIsReported() async throws {
    try await FaultyStore.with { store in
      store.fake.faults { $0.fail(.unavailable) }
      _ = try await store.client.putObject("k", body: Self.body)
      let reports = store.log.reports.withLock { $0 }
      #expect(reports.map(\.attempt) == [1, 2])
      #expect(reports.map(\.status) == [503, 200])
      #expect(reports.map(\.errorCode) == [.slowDown, nil])
      #expect(reports.allSatisfy { $0.operation == .putObject && $0.pricing == .classA && $0.duration > .zero })
    }
  }

  @Test func aBrokenDownloadIsNoShortFile() async throws {
    try await FaultyStore.with { store in
      let tag = try await store.client.putObject("k", body: Self.body).eTag
      store.fake.faults { $0.fail(.truncatedAnswer, of: "GetObject") }
      let object = try await store.client.getObject("k")
      var read: Int64 = 0
      let error = await ObjectTests.error {
        for try await piece in object.body { read += Int64(piece.readableBytes) }
      }
      #expect(error?.code == .connectionLost)
      #expect(error?.outcomeUnknown == false)
      let rest = try await store.client.getObject("k", range: .from(read), ifMatch: tag)
      #expect(try await rest.body.collect(upTo: 200_000).readableBytes == 200_000 - Int(read))
    }
  }
}
