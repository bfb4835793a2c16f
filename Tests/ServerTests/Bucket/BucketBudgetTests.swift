import FakeS3
import NIOCore
import Server
import Synchronization
import Testing
import UploadCore

struct BucketBudgetTests {
  struct ClientHasGone: Error {}

  private final class Order: Sendable {
    let served = Mutex<[Int]>([])
  }

  /// Who finds no memory gets slower, and is not refused.
  @Test(arguments: [1, 3, 8])
  func manyUploadsStayWithinTheBudget(parts: Int) async throws {
    var options = BucketFixture.Options()
    options.budget = parts * options.partSize
    try await BucketFixture.onFake(options) { fixture, fake in
      let contents = (0..<50).map { BucketFixture.bytes(1000 + $0 * 2500, seed: UInt64($0)) }
      let drafts = try contents.map { _ in try fixture.draft() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, content) in contents.enumerated() {
          group.addTask { try await fixture.upload(drafts[number], content, declared: number % 2 == 0, chunk: 3000) }
        }
        try await group.waitForAll()
      }
      #expect(fixture.budget.peak <= options.budget)
      #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
      #expect(fake.openUploads == 0)
      for (draft, content) in zip(drafts, contents) {
        #expect(try await fixture.download(draft.id, from: fixture.otherNode()) == content)
      }
      #expect(fixture.budget.peak <= options.budget)
    }
  }

  @Test func memoryIsServedInOrderAndGivenBack() async throws {
    let budget = PartBudget(bytes: 20, partSize: 10)
    let first = try await budget.take()
    let second = try #require(budget.tryTake())
    #expect(budget.tryTake(1) == nil)
    let order = Order()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let ticket = try await budget.take(20)
        order.served.withLock { $0.append(1) }
        ticket.release()
      }
      try await Task.sleep(for: .milliseconds(50))
      group.addTask {
        let ticket = try await budget.take(1)
        order.served.withLock { $0.append(2) }
        ticket.release()
      }
      let cancelled = Task { try await budget.take(5) }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { try await cancelled.value }
      first.shrink(to: 4)
      #expect(budget.taken == 14)
      first.release()
      second.release()
      second.release()
      try await group.waitForAll()
    }
    #expect(order.served.withLock { $0 } == [1, 2])
    #expect(budget.taken == 0 && budget.peak == 20)
    await #expect(throws: StoreError.self) { try await budget.take(21) }
  }

  @Test func abandonedReadersGiveEverythingBack() async throws {
    try await BucketFixture.onFake { fixture, _ in
      let draft = try fixture.draft()
      let content = BucketFixture.bytes(300_000)
      try await fixture.upload(draft, content, declared: true)
      for _ in 0..<20 {
        let unread = try #require(try await fixture.store.open(draft.id))
        #expect(try await unread.prepare(0..<300_000))
        let reader = try #require(try await fixture.store.open(draft.id))
        await #expect(throws: ClientHasGone.self) {
          try await reader.read(0..<300_000, allocator: ByteBufferAllocator()) { _ in
            #expect(fixture.budget.taken > 0)
            throw ClientHasGone()
          }
        }
        let reading = Task {
          try await reader.read(0..<300_000, allocator: ByteBufferAllocator()) { _ in
            try await Task.sleep(for: .seconds(60))
          }
        }
        try await Task.sleep(for: .milliseconds(5))
        reading.cancel()
        await #expect(throws: (any Error).self) { try await reading.value }
      }
      #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
      #expect(try await fixture.download(draft.id) == content)
    }
  }

  /// An upload whose client has gone, or whose task is cancelled, leaves no part and no memory.
  @Test func abandonedUploadsLeaveNothing() async throws {
    var options = BucketFixture.Options()
    options.budget = 2 * options.partSize
    try await BucketFixture.onFake(options) { fixture, fake in
      let parts = fixture.options.partSize
      for pieces in [0, 1, 3, 9] {
        let draft = try fixture.draft()
        let uploading = Task {
          let writer = try await fixture.store.create(draft, declaredSize: nil)
          var left = pieces
          do {
            _ = try await writer.receive {
              left -= 1
              if left < 0 { try await Task.sleep(for: .seconds(60)) }
              return ByteBuffer(repeating: 7, count: parts / 2 + 1)
            }
          } catch {
            await writer.discard()
            throw error
          }
        }
        try await Task.sleep(for: .milliseconds(30))
        uploading.cancel()
        await #expect(throws: (any Error).self) { try await uploading.value }
        #expect(fake.keys.isEmpty && fake.openUploads == 0)
      }
      #expect(try await BucketFixture.eventually { fixture.budget.taken == 0 })
      #expect(fixture.log.openMultiparts.withLock { $0 }.isEmpty)
    }
  }
}
