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

  // MARK: Several requests of one client

  private static func completing(
    _ slot: DownloadSlot, nonce: UInt64, client: [UInt8]?, now: Timestamp = noon
  ) throws(SlotRefusal) -> DownloadSlot {
    try slot.completing(nonce: nonce, client: client, bytesSent: size, size: size, resumeSeconds: 60, now: now)
  }

  @Test func `of two requests of one client either one spends the download`() throws {
    let both = try leased().resuming(nonce: 8, client: Self.alice, until: Self.later, now: noon, size: Self.size)
    for (first, second) in [(7, 8), (8, 7)] as [(UInt64, UInt64)] {
      let spent = try Self.completing(both, nonce: first, client: Self.alice)
      #expect(spent.consumedBy == first)
      #expect(try Self.completing(spent, nonce: first, client: Self.alice) == spent, "a lost answer is found again")
      #expect(try Self.completing(spent, nonce: second, client: Self.alice) == spent, "the other one gets its end")
      #expect(
        refusal { () throws(SlotRefusal) in
          try Self.completing(spent, nonce: second, client: Self.alice, now: noon.adding(seconds: 60))
        } == .consumed)
      for stranger in [[9], nil] as [[UInt8]?] {
        #expect(
          refusal { () throws(SlotRefusal) in try Self.completing(both, nonce: 9, client: stranger) } == .leaseLost)
        #expect(
          refusal { () throws(SlotRefusal) in try Self.completing(spent, nonce: 9, client: stranger) } == .consumed)
      }
    }
  }

  @Test func `requests of one client keep the slot for each other`() throws {
    let both = try leased().resuming(nonce: 8, client: Self.alice, until: Self.later, now: noon, size: Self.size)
    let end = Self.later.adding(seconds: 100)
    let kept = try both.renewing(nonce: 7, client: Self.alice, until: end, bytesSent: 5, now: noon)
    #expect(kept.lease?.nonce == 8 && kept.lease?.until == end && kept.lease?.bytesSent == both.lease?.bytesSent)
    let free = try both.releasing(nonce: 8, bytesSent: 0, now: noon, size: Self.size)
    #expect(try free.renewing(nonce: 7, client: Self.alice, until: end, bytesSent: 5, now: noon).lease?.nonce == 7)
    #expect(try Self.completing(free, nonce: 7, client: Self.alice).consumedBy == 7)
    let others = try free.leasing(nonce: 9, client: [9], until: Self.later, now: noon, size: Self.size)
    for client in [Self.alice, nil] as [[UInt8]?] {
      #expect(
        refusal { () throws(SlotRefusal) in
          try others.renewing(nonce: 7, client: client, until: end, bytesSent: 5, now: noon)
        } == .leaseLost)
      #expect(refusal { () throws(SlotRefusal) in try Self.completing(others, nonce: 7, client: client) } == .leaseLost)
    }
  }

  // MARK: Pieces

  @Test(arguments: [0, 1_023, 1_024, 5_000])
  func `a piece is charged and refunded, and is no attempt`(bytes: Int64) {
    func ended(_ sent: Int64) -> DownloadSlot {
      Self.unused.chargingPiece(bytes: bytes).endingPiece(charged: bytes, sent: sent, now: noon, size: Self.size)
    }
    let charged = Self.unused.chargingPiece(bytes: bytes)
    #expect(charged.phase == .free && charged.client == nil && charged.attempts == 0)
    #expect(charged.bytesServed == bytes)
    #expect(ended(0) == Self.unused)
    #expect(ended(-1) == Self.unused)
    #expect(ended(bytes) == charged)
    #expect(ended(bytes + 1) == charged)
  }

  @Test func `pieces use a free slot up when they end, unless they are refunded`() throws {
    let budget = DownloadSlot.byteBudget(size: Self.size)
    let charged = Self.unused.chargingPiece(bytes: budget)
    #expect(charged.phase == .free)
    #expect(charged.isExhausted(size: Self.size))
    let next = refusal { () throws(SlotRefusal) in
      try charged.leasing(nonce: 7, client: Self.alice, until: Self.later, now: noon, size: Self.size)
    }
    guard case .exhausted = next else {
      Issue.record("not exhausted: \(String(describing: next))")
      return
    }
    #expect(charged.endingPiece(charged: 1_024, sent: 1_024, now: noon, size: Self.size).phase == .consumed(at: noon))
    let refunded = charged.endingPiece(charged: 1_024, sent: 0, now: noon, size: Self.size)
    #expect(refunded.phase == .free && !refunded.isExhausted(size: Self.size))
    #expect(
      try refunded.leasing(nonce: 7, client: Self.alice, until: Self.later, now: noon, size: Self.size).lease != nil)
  }

  @Test func `pieces do not take a lease from its holder, but count when it ends`() throws {
    let bytes = DownloadSlot.byteBudget(size: Self.size)
    let slot = try leased().chargingPiece(bytes: bytes).endingPiece(
      charged: bytes, sent: bytes, now: noon, size: Self.size)
    #expect(slot.lease?.nonce == 7)
    #expect(slot.isExhausted(size: Self.size))
    #expect(try slot.consuming(nonce: 7, bytesSent: 1, now: noon).consumedBy == 7)
    #expect(try slot.releasing(nonce: 7, bytesSent: 0, now: noon, size: Self.size).isConsumed)
  }

  @Test func `a refund never goes below nothing, nor away from consumed`() throws {
    #expect(Self.unused.endingPiece(charged: 5_000, sent: 0, now: noon, size: Self.size) == Self.unused)
    let spent = try leased().consuming(nonce: 7, bytesSent: 10, now: noon)
    let ended = spent.endingPiece(charged: 5_000, sent: 0, now: Self.later, size: Self.size)
    #expect(ended.phase == spent.phase && ended.bytesServed == 0)
  }

  @Test func `settled ends leases that have expired, and slots that are used up`() throws {
    let slot = try leased().renewing(nonce: 7, until: Self.later, bytesSent: 2_000, now: noon)
    #expect(slot.settled(size: Self.size, now: Self.later.adding(milliseconds: -1)) == slot)
    #expect(slot.settled(size: Self.size, now: Self.later).phase == .free)
    #expect(slot.settled(size: Self.size, now: Self.later).bytesServed == 2_000)
    let consumed = try slot.consuming(nonce: 7, bytesSent: 0, now: noon)
    #expect(consumed.settled(size: Self.size, now: Self.later) == consumed)
    #expect(Self.unused.settled(size: Self.size, now: Self.later) == Self.unused)
    let usedUp = Self.unused.chargingPiece(bytes: DownloadSlot.byteBudget(size: Self.size))
    #expect(usedUp.settled(size: Self.size, now: noon).phase == .consumed(at: noon))
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
          default: slot.chargingPiece(bytes: bytes)
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
