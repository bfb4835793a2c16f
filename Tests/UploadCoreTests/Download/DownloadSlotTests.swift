import Testing
import UploadCore

@Suite struct DownloadSlotTests {
  static let alice: [UInt8] = [1]
  static let bob: [UInt8] = [2]
  static let size: Int64 = 10_000
  static let unused = DownloadSlot(unused: 1)
  static let later = noon.adding(seconds: 60)

  private func refusal(_ transition: () throws(SlotRefusal) -> DownloadSlot) -> SlotRefusal? {
    do {
      _ = try transition()
      return nil
    } catch {
      return error
    }
  }

  private func leased(
    _ slot: DownloadSlot = unused,
    nonce: UInt64 = 7,
    client: [UInt8] = alice,
    at now: Timestamp = noon
  ) throws(SlotRefusal) -> DownloadSlot {
    try slot.leasing(nonce: nonce, client: client, until: now.adding(seconds: 60), now: now, size: Self.size)
  }

  @Test func `an unused slot`() {
    #expect(Self.unused.phase == .free)
    #expect(Self.unused.client == nil)
    #expect(Self.unused.bytesServed == 0)
    #expect(Self.unused.attempts == 0)
    #expect(Self.unused.consumedBy == nil)
    #expect(Self.unused.lease == nil)
    #expect(!Self.unused.isConsumed)
  }

  // MARK: Leasing

  @Test func `leasing a free slot`() throws {
    let slot = try leased()
    #expect(slot.phase == .leased(Lease(nonce: 7, until: Self.later)))
    #expect(slot.client == Self.alice)
    #expect(slot.bytesServed == 0)
    #expect(slot.attempts == 0)
  }

  @Test(arguments: [(59_999, false), (60_000, true), (60_001, true)])
  func `a lease can be taken over from its end on`(milliseconds: Int64, isTaken: Bool) throws {
    let slot = try leased()
    let now = noon.adding(milliseconds: milliseconds)
    let wanted: SlotRefusal? = isTaken ? nil : .leased(until: Self.later)
    #expect(refusal { () throws(SlotRefusal) in try leased(slot, nonce: 8, client: Self.bob, at: now) } == wanted)
    #expect(refusal { () throws(SlotRefusal) in try leased(slot, nonce: 8, client: Self.alice, at: now) } == wanted)
  }

  @Test(arguments: [(0, 0), (1_023, 0), (1_024, 1), (1_025, 1)])
  func `a takeover after a crash charges what was renewed`(bytes: Int64, attempts: Int) throws {
    let renewed = try leased().renewing(nonce: 7, until: Self.later, bytesSent: bytes, now: noon)
    let taken = try leased(renewed, nonce: 8, client: Self.bob, at: Self.later)
    #expect(taken.bytesServed == bytes)
    #expect(taken.attempts == attempts)
    #expect(taken.lease == Lease(nonce: 8, until: Self.later.adding(seconds: 60)))
    #expect(taken.client == Self.bob)
  }

  @Test func `a consumed slot is never leased`() throws {
    let consumed = try leased().consuming(nonce: 7, bytesSent: 1, now: noon)
    for seconds in [0, 60, 1 << 40] as [Int64] {
      let now = noon.adding(seconds: seconds)
      #expect(refusal { () throws(SlotRefusal) in try leased(consumed, nonce: 8, at: now) } == .consumed)
      #expect(
        refusal { () throws(SlotRefusal) in
          try consumed.resuming(nonce: 8, client: Self.alice, until: now, now: now, size: Self.size)
        } == .consumed)
    }
  }

  // MARK: Resuming

  @Test func `the same client takes over a lease that has not expired, as an attempt`() throws {
    let slot = try leased().renewing(nonce: 7, until: Self.later, bytesSent: 5, now: noon)
    let now = noon.adding(seconds: 1)
    let taken = try slot.resuming(nonce: 8, client: Self.alice, until: Self.later, now: now, size: Self.size)
    #expect(taken.lease == Lease(nonce: 8, until: Self.later))
    #expect(taken.bytesServed == 5)
    #expect(taken.attempts == 1)
    #expect(
      refusal { () throws(SlotRefusal) in try taken.renewing(nonce: 7, until: now, bytesSent: 9, now: now) }
        == .leaseLost)
    #expect(refusal { () throws(SlotRefusal) in try taken.consuming(nonce: 7, bytesSent: 9, now: now) } == .leaseLost)
    #expect(
      refusal { () throws(SlotRefusal) in try taken.releasing(nonce: 7, bytesSent: 9, now: now, size: Self.size) }
        == .leaseLost)
  }

  @Test func `another client does not`() throws {
    let slot = try leased()
    #expect(
      refusal { () throws(SlotRefusal) in
        try slot.resuming(nonce: 8, client: Self.bob, until: Self.later, now: noon, size: Self.size)
      } == .leased(until: Self.later))
  }

  @Test func `resuming a free or expired slot is leasing`() throws {
    let free = try leased().releasing(nonce: 7, bytesSent: 0, now: noon, size: Self.size)
    let again = try free.resuming(nonce: 8, client: Self.alice, until: Self.later, now: noon, size: Self.size)
    #expect(again.lease?.nonce == 8)
    #expect(again.attempts == 0)
    let expired = try leased().resuming(
      nonce: 8, client: Self.bob, until: Self.later, now: Self.later, size: Self.size)
    #expect(expired.client == Self.bob)
    #expect(expired.attempts == 0)
  }

  // MARK: Renewing

  @Test func `renewing never shortens and never forgets`() throws {
    let slot = try leased()
    let longer = try slot.renewing(nonce: 7, until: Self.later.adding(seconds: 5), bytesSent: 100, now: noon)
    #expect(longer.lease == Lease(nonce: 7, until: Self.later.adding(seconds: 5), bytesSent: 100))
    let again = try longer.renewing(nonce: 7, until: noon, bytesSent: 50, now: noon)
    #expect(again == longer)
    #expect(longer.bytesServed == 0)
  }

  @Test func `an expired lease may be renewed and consumed as long as nobody took it over`() throws {
    let slot = try leased()
    let muchLater = noon.adding(seconds: 1_000)
    let renewed = try slot.renewing(nonce: 7, until: muchLater.adding(seconds: 60), bytesSent: 9, now: muchLater)
    #expect(renewed.lease?.until == muchLater.adding(seconds: 60))
    #expect(try slot.consuming(nonce: 7, bytesSent: 9, now: muchLater).phase == .consumed(at: muchLater))
  }

  @Test func `only the holder renews, releases and consumes`() throws {
    let slot = try leased()
    #expect(
      refusal { () throws(SlotRefusal) in try slot.renewing(nonce: 8, until: Self.later, bytesSent: 0, now: noon) }
        == .leaseLost)
    #expect(
      refusal { () throws(SlotRefusal) in try slot.releasing(nonce: 8, bytesSent: 0, now: noon, size: 1) } == .leaseLost
    )
    #expect(refusal { () throws(SlotRefusal) in try slot.consuming(nonce: 8, bytesSent: 0, now: noon) } == .leaseLost)
    #expect(
      refusal { () throws(SlotRefusal) in try Self.unused.consuming(nonce: 0, bytesSent: 0, now: noon) } == .leaseLost)
    #expect(
      refusal { () throws(SlotRefusal) in try Self.unused.renewing(nonce: 0, until: noon, bytesSent: 0, now: noon) }
        == .leaseLost)
    #expect(
      refusal { () throws(SlotRefusal) in try Self.unused.releasing(nonce: 0, bytesSent: 0, now: noon, size: 1) }
        == .leaseLost)
  }

  // MARK: Releasing

  @Test(arguments: [(0, 0), (1_023, 0), (1_024, 1), (1_025, 1), (9_999, 1)])
  func `releasing charges what was sent`(bytes: Int64, attempts: Int) throws {
    let free = try leased().releasing(nonce: 7, bytesSent: bytes, now: noon, size: Self.size)
    #expect(free.phase == .free)
    #expect(free.bytesServed == bytes)
    #expect(free.attempts == attempts)
    #expect(free.client == Self.alice)
  }

  @Test func `releasing charges the renewed bytes if they are more`() throws {
    let renewed = try leased().renewing(nonce: 7, until: Self.later, bytesSent: 2_000, now: noon)
    let free = try renewed.releasing(nonce: 7, bytesSent: 5, now: noon, size: Self.size)
    #expect(free.bytesServed == 2_000)
    #expect(free.attempts == 1)
  }

  @Test func `ten attempts use a slot up`() throws {
    var slot = Self.unused
    for attempt in 1...10 {
      slot = try leased(slot).releasing(nonce: 7, bytesSent: 1_024, now: noon, size: 1 << 30)
      #expect(slot.attempts == attempt)
      #expect(slot.phase == (attempt < 10 ? .free : .consumed(at: noon)))
    }
    #expect(slot.consumedBy == nil)
    #expect(refusal { () throws(SlotRefusal) in try slot.consuming(nonce: 7, bytesSent: 0, now: noon) } == .consumed)
  }

  @Test(arguments: [(-1, false), (0, true), (1, true)])
  func `bytes use a slot up at twice the size and 1 MiB`(difference: Int64, isConsumed: Bool) throws {
    let budget = DownloadSlot.byteBudget(size: Self.size)
    #expect(budget == 2 * Self.size + 1_048_576)
    let slot = try leased().releasing(nonce: 7, bytesSent: budget + difference, now: noon, size: Self.size)
    #expect(slot.isConsumed == isConsumed)
  }

  @Test func `a takeover that is one attempt too many is refused with the slot used up`() throws {
    var slot = try leased().renewing(nonce: 7, until: Self.later, bytesSent: 1_024, now: noon)
    slot.attempts = 9
    guard
      case .exhausted(let exhausted) = refusal({ () throws(SlotRefusal) in try leased(slot, nonce: 8, at: Self.later) })
    else {
      Issue.record("was taken over")
      return
    }
    #expect(exhausted.phase == .consumed(at: Self.later))
    #expect(exhausted.attempts == 10)
    #expect(exhausted.consumedBy == nil)
    #expect(exhausted == slot.settled(size: Self.size, now: Self.later))
    slot.attempts = 8
    #expect(try leased(slot, nonce: 8, at: Self.later).attempts == 9)
  }

  @Test func `budgets of the largest sizes do not trap`() {
    #expect(DownloadSlot.byteBudget(size: .max) == .max)
    #expect(DownloadSlot.resumeBudget(size: .max) == .max)
    #expect(DownloadSlot.byteBudget(size: 0) == 1_048_576)
    #expect(DownloadSlot.resumeBudget(size: 10) == 1_048_616)
  }

  // MARK: Consuming

  @Test func `consuming`() throws {
    let slot = try leased().consuming(nonce: 7, bytesSent: Self.size, now: noon)
    #expect(slot.phase == .consumed(at: noon))
    #expect(slot.consumedBy == 7)
    #expect(slot.bytesServed == Self.size)
    #expect(slot.attempts == 0)
    #expect(slot.client == Self.alice)
  }

  @Test func `a lost answer is found by the nonce, by nobody else`() throws {
    let slot = try leased().consuming(nonce: 7, bytesSent: Self.size, now: noon)
    #expect(try slot.consuming(nonce: 7, bytesSent: Self.size, now: Self.later) == slot)
    #expect(
      refusal { () throws(SlotRefusal) in try slot.consuming(nonce: 8, bytesSent: Self.size, now: noon) } == .consumed)
    #expect(
      try slot.renewing(nonce: 7, until: Self.later, bytesSent: 0, now: noon) == slot, "a late renewal is no loss")
    #expect(
      refusal { () throws(SlotRefusal) in try slot.renewing(nonce: 8, until: noon, bytesSent: 0, now: noon) }
        == .consumed)
    #expect(
      refusal { () throws(SlotRefusal) in try slot.releasing(nonce: 7, bytesSent: 0, now: noon, size: 1) } == .consumed)
  }

  // MARK: Parts

  @Test(arguments: [(0, 0), (1_023, 0), (1_024, 1), (1_025, 1)])
  func `a part is charged and refunded`(bytes: Int64, attempts: Int) {
    let charged = Self.unused.chargingPart(bytes: bytes, now: noon, size: Self.size)
    #expect(charged.phase == .free)
    #expect(charged.client == nil)
    #expect(charged.bytesServed == bytes)
    #expect(charged.attempts == attempts)
    #expect(charged.refundingPart(charged: bytes, sent: 0) == Self.unused)
    #expect(charged.refundingPart(charged: bytes, sent: bytes) == charged)
    #expect(charged.refundingPart(charged: bytes, sent: bytes + 1) == charged)
    #expect(charged.refundingPart(charged: bytes, sent: -1) == Self.unused)
  }

  @Test(arguments: [(1_023, 0), (1_024, 1)])
  func `a part that was cut short is an attempt by what was sent`(sent: Int64, attempts: Int) {
    let slot = Self.unused.chargingPart(bytes: 5_000, now: noon, size: Self.size).refundingPart(
      charged: 5_000, sent: sent)
    #expect(slot.bytesServed == sent)
    #expect(slot.attempts == attempts)
  }

  @Test func `parts use a free slot up, unless they are refunded`() throws {
    var slot = Self.unused
    slot.attempts = 9
    let charged = slot.chargingPart(bytes: 1_024, now: noon, size: Self.size)
    #expect(charged.phase == .free)
    #expect(charged.isExhausted(size: Self.size))
    let next = refusal { () throws(SlotRefusal) in
      try charged.leasing(nonce: 7, client: Self.alice, until: Self.later, now: noon, size: Self.size)
    }
    guard case .exhausted = next else {
      Issue.record("not exhausted: \(String(describing: next))")
      return
    }
    let refunded = charged.refundingPart(charged: 1_024, sent: 0)
    #expect(!refunded.isExhausted(size: Self.size))
    #expect(
      try refunded.leasing(nonce: 7, client: Self.alice, until: Self.later, now: noon, size: Self.size).lease != nil)
  }

  @Test func `parts do not take a lease from its holder, but count when it ends`() throws {
    var slot = try leased()
    for _ in 0..<10 { slot = slot.chargingPart(bytes: 1_024, now: noon, size: Self.size) }
    #expect(slot.lease?.nonce == 7)
    #expect(slot.isExhausted(size: Self.size))
    #expect(try slot.consuming(nonce: 7, bytesSent: 1, now: noon).consumedBy == 7)
    #expect(try slot.releasing(nonce: 7, bytesSent: 0, now: noon, size: Self.size).isConsumed)
  }

  @Test func `a refund never goes below nothing`() {
    let slot = Self.unused.refundingPart(charged: 5_000, sent: 0)
    #expect(slot.bytesServed == 0)
    #expect(slot.attempts == 0)
  }

  @Test func `settled sees only leases that have expired`() throws {
    let slot = try leased().renewing(nonce: 7, until: Self.later, bytesSent: 2_000, now: noon)
    #expect(slot.settled(size: Self.size, now: Self.later.adding(milliseconds: -1)) == slot)
    #expect(slot.settled(size: Self.size, now: Self.later).phase == .free)
    #expect(slot.settled(size: Self.size, now: Self.later).bytesServed == 2_000)
    let consumed = try slot.consuming(nonce: 7, bytesSent: 0, now: noon)
    #expect(consumed.settled(size: Self.size, now: Self.later) == consumed)
    #expect(Self.unused.settled(size: Self.size, now: Self.later) == Self.unused)
  }

  /// Nothing leads away from consumed, and counters never fall except by refunds.
  @Test(arguments: Seed.all)
  func `consumed is final under any transitions`(seed: Seed) throws {
    var generator = seed.generator()
    var consumptions = 0
    for _ in 0..<300 {
      var slot = Self.unused
      for _ in 0..<30 {
        let before = slot
        let nonce = UInt64.random(in: 0...2, using: &generator)
        let client = [UInt8.random(in: 1...2, using: &generator)]
        let now = noon.adding(seconds: .random(in: 0...300, using: &generator))
        let until = now.adding(seconds: 60)
        let bytes = Int64.random(in: 0...3_000, using: &generator)
        let next: DownloadSlot? =
          switch Int.random(in: 0...5, using: &generator) {
          case 0: try? slot.leasing(nonce: nonce, client: client, until: until, now: now, size: Self.size)
          case 1: try? slot.resuming(nonce: nonce, client: client, until: until, now: now, size: Self.size)
          case 2: try? slot.renewing(nonce: nonce, until: until, bytesSent: bytes, now: now)
          case 3: try? slot.releasing(nonce: nonce, bytesSent: bytes, now: now, size: Self.size)
          case 4:
            Int.random(in: 0...4, using: &generator) == 0
              ? try? slot.consuming(nonce: nonce, bytesSent: bytes, now: now) : nil
          default: slot.chargingPart(bytes: bytes, now: now, size: Self.size)
          }
        guard let next else { continue }
        slot = next
        try #require(slot.number == before.number)
        try #require(slot.bytesServed >= before.bytesServed)
        try #require(slot.attempts >= before.attempts)
        if before.isConsumed {
          try #require(slot.phase == before.phase)
          try #require(slot.consumedBy == before.consumedBy)
          try #require(slot.client == before.client)
        }
      }
      if slot.isConsumed { consumptions += 1 }
    }
    #expect(consumptions > 50)
  }
}
