import Server
import Synchronization
import Testing
import UploadCore

/// SQLite's way of testing: let the first call fail, then the second, … until nothing fails any more, and look at what
/// is left each time.
///
/// The Law: after a failure and a cleanup at the end of its life, nothing of an upload that was not acknowledged is
/// left, neither file nor row, and everything that was acknowledged is whole.
struct FailTheNthCallTests {
  private static let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  private func isKnown(_ fixture: Fixture) async throws -> Bool {
    // Every file has a row.
    for file in try fixture.files() {
      guard let name = file.split(separator: "/").last, let id = UploadID(name),
        try await fixture.index.entry(id) != nil
      else { return false }
    }
    return true
  }

  private func assertNothingAtTheEnd(_ fixture: Fixture) async throws {
    fixture.clock.advance(seconds: 10 * 86_400)
    let report = try await fixture.cleanup().run(now: fixture.clock.read())
    #expect(report.failures == 0)
    #expect(try fixture.files().isEmpty)
    #expect(try await fixture.index.storedBytes() == 0)
    #expect(try await fixture.index.expiredCount(before: fixture.clock.read()) == 0)
  }

  @Test(arguments: [false, true])
  func upload(failsAfterwards: Bool) async throws {
    var n = 1
    while true {
      let calls = CallCounter(failing: n)
      let fixture = try Fixture(beforeCall: { if !$0.hasPrefix("test") { try calls.call($0) } })
      let store = FailingBlobStore(base: fixture.store, calls: calls, failsAfterwards: failsAfterwards)
      var receipt: UploadService.Receipt?
      do {
        receipt = try await fixture.upload(Self.content, to: fixture.uploads(store))
      } catch {}
      let failed = calls.count >= n
      calls.stop()
      #expect(try await isKnown(fixture), "call \(n): a file that the index does not know")
      if let receipt {
        let reader = try #require(try await fixture.store.open(receipt.record.id))
        #expect(reader.size == Int64(Self.content.count))
      } else {
        #expect(try fixture.files().isEmpty, "call \(n): an upload that failed is visible")
      }
      try await assertNothingAtTheEnd(fixture)
      if !failed { break }
      n += 1
    }
    #expect(n > 7, "only \(n) calls were seen: does the test still reach the store and the index?")
  }

  @Test(arguments: [false, true])
  func cleanup(failsAfterwards: Bool) async throws {
    var n = 1
    while true {
      let calls = CallCounter()
      let fixture = try Fixture(beforeCall: { try calls.call($0) })
      let service = fixture.uploads()
      for _ in 0..<3 { _ = try await fixture.upload([1, 2, 3], to: service) }
      fixture.clock.advance(seconds: 2 * 3600)
      var longer = UploadRequest.plain
      longer.expirationSeconds = "86400"
      let lives = try await fixture.upload([4], longer, to: service)
      let failing = CallCounter(failing: n)
      let run = fixture.cleanup(FailingBlobStore(base: fixture.store, calls: failing, failsAfterwards: failsAfterwards))
      let report = try await run.run(now: fixture.clock.read())
      #expect(try await isKnown(fixture), "call \(n): a file that the index does not know")
      #expect(try await fixture.store.open(lives.record.id) != nil, "call \(n): cleanup removed what lives")
      #expect((report.failures > 0) == (failing.count >= n))
      try await assertNothingAtTheEnd(fixture)
      if failing.count < n { break }
      n += 1
    }
    #expect(n > 4)
  }

  /// The index fails inside a cleanup: the pass ends with the error, the next one does what is left.
  @Test func cleanupWithFailingIndex() async throws {
    var n = 1
    while true {
      let calls = CallCounter()
      let box = CallBox(calls)
      let fixture = try Fixture(beforeCall: { try box.current.call($0) })
      _ = try await fixture.upload([1, 2, 3], to: fixture.uploads())
      fixture.clock.advance(seconds: 2 * 3600)
      let failing = CallCounter(failing: n)
      box.current = failing
      var failed = false
      do {
        _ = try await fixture.cleanup().run(now: fixture.clock.read())
      } catch {
        failed = true
      }
      box.current = CallCounter()
      #expect(failed == (failing.count >= n))
      #expect(try await isKnown(fixture))
      try await assertNothingAtTheEnd(fixture)
      if !failed { break }
      n += 1
    }
    #expect(n > 2)
  }

  /// A download whose ledger fails at the Nth call is never complete without its slot being consumed, and the slot can
  /// be had again unless it was.
  @Test func download() async throws {
    var n = 1
    while true {
      let box = CallBox(CallCounter())
      let fixture = try Fixture(beforeCall: { try box.current.call($0) })
      let record = try await fixture.makeRow(downloads: 1, size: 1_000_000)
      let failing = CallCounter(failing: n)
      box.current = failing
      let ledger = fixture.ledger()
      let now = fixture.clock.read()
      let request = DeliveryRequest(size: record.size, range: nil, client: [1])
      var consumed = false
      do {
        if case .lease(let slot, _) = try await ledger.begin(record, request, now: now), let nonce = slot.lease?.nonce {
          let holder = SlotHolder(id: record.id, size: record.size, slot: slot.number, nonce: nonce)
          _ = try await ledger.renew(holder, bytesSent: 10, now: now)
          consumed = try await ledger.consume(holder, bytesSent: 1_000_000, now: now)
        }
      } catch {}
      box.current = CallCounter()
      let later = now.adding(seconds: 61)
      let second = try await ledger.begin(record, request, now: later)
      if case .lease = second {
        #expect(!consumed, "call \(n): delivered twice")
      } else {
        #expect(consumed, "call \(n): spent without a delivery, \(second)")
      }
      if failing.count < n { break }
      n += 1
    }
    #expect(n == 4)
  }
}

/// Which counter is asked.
final class CallBox: Sendable {
  private let counter: Mutex<CallCounter>

  init(_ counter: CallCounter) {
    self.counter = Mutex(counter)
  }

  var current: CallCounter {
    get { counter.withLock { $0 } }
    set { counter.withLock { $0 = newValue } }
  }
}
