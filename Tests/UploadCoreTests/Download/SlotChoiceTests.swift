import Testing
import UploadCore

@Suite struct SlotChoiceTests {
  static let alice: [UInt8] = [1]
  static let bob: [UInt8] = [2]
  static let size: Int64 = 100_000
  static let whole: ClosedRange<Int64>? = nil
  static let tail: ClosedRange<Int64> = 40_000...99_999
  static let middle: ClosedRange<Int64> = 40_000...49_999
  static let head: ClosedRange<Int64> = 0...9_999

  private func decide(
    _ slots: [DownloadSlot],
    of count: Int = 1,
    range: ClosedRange<Int64>? = nil,
    by client: [UInt8] = alice,
    size: Int64 = Self.size,
    leaseSeconds: Int64 = 60,
    now: Timestamp = noon
  ) -> LeaseDecision {
    SlotChoice.decide(
      slots: slots, limit: limit(count), request: DeliveryRequest(size: size, range: range, client: client), nonce: 99,
      leaseSeconds: leaseSeconds, now: now)
  }

  private func free(_ number: Int, client: [UInt8]? = nil, bytes: Int64 = 0, attempts: Int = 0) -> DownloadSlot {
    DownloadSlot(number: number, phase: .free, client: client, bytesServed: bytes, attempts: attempts)
  }

  private func leased(_ number: Int, client: [UInt8] = alice, seconds: Int64 = 30, bytes: Int64 = 0, attempts: Int = 0)
    -> DownloadSlot
  {
    let lease = Lease(nonce: UInt64(number), until: noon.adding(seconds: seconds), bytesSent: bytes)
    return DownloadSlot(number: number, phase: .leased(lease), client: client, bytesServed: 0, attempts: attempts)
  }

  private func consumed(_ number: Int, client: [UInt8] = alice, secondsAgo: Int64 = 10, bytes: Int64 = size)
    -> DownloadSlot
  {
    DownloadSlot(
      number: number, phase: .consumed(at: noon.adding(seconds: -secondsAgo)), client: client, bytesServed: bytes,
      attempts: 0, consumedBy: UInt64(number))
  }

  private func fresh(_ decision: LeaseDecision) -> Int? {
    guard case .lease(let slot, resumed: false) = decision, slot.lease?.nonce == 99 else { return nil }
    return slot.number
  }

  private func resumed(_ decision: LeaseDecision) -> Int? {
    guard case .lease(let slot, resumed: true) = decision, slot.lease?.nonce == 99 else { return nil }
    return slot.number
  }

  private func part(_ decision: LeaseDecision) -> Int? {
    guard case .part(let slot, _) = decision else { return nil }
    return slot.number
  }

  private func resumedConsumed(_ decision: LeaseDecision) -> Int? {
    guard case .resumeConsumed(let slot, _) = decision else { return nil }
    return slot.number
  }

  // MARK: New deliveries

  @Test func `the first request gets slot 1`() {
    let lease = Lease(nonce: 99, until: noon.adding(seconds: 60))
    let slot = DownloadSlot(number: 1, phase: .leased(lease), client: Self.alice, bytesServed: 0, attempts: 0)
    #expect(decide([]) == .lease(slot: slot, resumed: false))
  }

  @Test(arguments: [nil, 0...99_999, 0...Int64.max, 0...99_998] as [ClosedRange<Int64>?])
  func `a range with all bytes is a delivery, without the last byte a part`(range: ClosedRange<Int64>?) {
    let decision = decide([], range: range)
    if range == 0...99_998 {
      #expect(part(decision) == 1)
    } else {
      #expect(fresh(decision) == 1)
    }
  }

  @Test func `the lowest slot that can be had`() {
    #expect(fresh(decide([leased(1)], of: 3)) == 2)
    #expect(fresh(decide([consumed(1), leased(2)], of: 3)) == 3)
    #expect(fresh(decide([consumed(1), free(2), free(3)], of: 3)) == 2)
    #expect(fresh(decide([leased(1), leased(3)], of: 3)) == 2)
    #expect(fresh(decide([leased(2)], of: 3)) == 1)
    #expect(fresh(decide([leased(1, seconds: 0)], of: 3)) == 1)
    // In any order, and numbers out of range are none.
    #expect(fresh(decide([leased(3), leased(1), free(0), free(4)], of: 3)) == 2)
    #expect(decide([consumed(1), free(0), free(2)], of: 1) == .gone)
  }

  @Test(arguments: [(1, false), (0, true), (-1, true)])
  func `a lease counts as free from its end on`(seconds: Int64, isFree: Bool) {
    #expect((fresh(decide([leased(1, seconds: seconds)], by: Self.bob)) == 1) == isFree)
  }

  @Test func `a new delivery of the same client is a new one`() {
    #expect(fresh(decide([leased(1)], of: 2)) == 2)
    #expect(decide([leased(1)], of: 1) == .locked(retryAfter: 30))
    #expect(decide([consumed(1)], of: 1) == .gone)
    #expect(fresh(decide([consumed(1)], of: 2)) == 2)
  }

  @Test func `a resumption of a stranger is a new delivery`() {
    #expect(fresh(decide([], range: Self.tail)) == 1)
    #expect(fresh(decide([leased(1)], of: 2, range: Self.tail, by: Self.bob)) == 2)
    #expect(decide([leased(1)], range: Self.tail, by: Self.bob) == .locked(retryAfter: 30))
    #expect(decide([consumed(1)], range: Self.tail, by: Self.bob) == .gone)
    #expect(fresh(decide([free(1, client: Self.alice, bytes: 5)], range: Self.tail, by: Self.bob)) == 1)
  }

  @Test func `an empty file is a delivery of nothing`() {
    #expect(fresh(decide([], size: 0)) == 1)
    #expect(decide([consumed(1, bytes: 0)], size: 0) == .gone)
  }

  // MARK: Refusals

  @Test(arguments: [
    (1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_001, 60), (60_000, 60), (60_001, 60), (10_000_000, 60),
  ])
  func `retry after the earliest lease`(milliseconds: Int64, seconds: Int) {
    let lease = Lease(nonce: 1, until: noon.adding(milliseconds: milliseconds))
    let early = DownloadSlot(number: 2, phase: .leased(lease), client: Self.bob, bytesServed: 0, attempts: 0)
    #expect(decide([leased(1, seconds: 20_000), early, consumed(3)], of: 3) == .locked(retryAfter: seconds))
  }

  @Test func `retry after at least a second even with leases of none`() {
    #expect(decide([leased(1)], leaseSeconds: 0) == .locked(retryAfter: 1))
    #expect(decide([leased(1)], leaseSeconds: 5) == .locked(retryAfter: 5))
  }

  @Test func `gone when all are consumed, locked while one is held`() {
    #expect(decide([consumed(1), consumed(2)], of: 2, by: Self.bob) == .gone)
    #expect(decide([consumed(1), leased(2)], of: 2, by: Self.bob) == .locked(retryAfter: 30))
  }

  @Test func `a slot that its crashed senders used up is gone`() {
    #expect(decide([leased(1, seconds: 0, bytes: 1_024, attempts: 9)]) == .gone)
    #expect(fresh(decide([leased(1, seconds: 0, bytes: 1_023, attempts: 9)])) == 1)
    #expect(decide([free(1, attempts: 10)]) == .gone)
    #expect(fresh(decide([free(1, attempts: 9)])) == 1)
    #expect(decide([free(1, bytes: DownloadSlot.byteBudget(size: Self.size))]) == .gone)
    #expect(fresh(decide([free(1, bytes: DownloadSlot.byteBudget(size: Self.size) - 1)])) == 1)
    #expect(fresh(decide([leased(1, seconds: 0, bytes: 1_024, attempts: 9)], of: 2)) == 2)
  }

  // MARK: Resumptions

  @Test func `the same client takes its own lease over`() {
    let decision = decide([leased(1, bytes: 50_000)], range: Self.tail)
    #expect(resumed(decision) == 1)
    guard case .lease(let slot, _) = decision else { return }
    #expect(slot.bytesServed == 50_000)
    #expect(slot.attempts == 1)
    #expect(resumed(decide([leased(1, client: Self.bob), leased(2)], of: 3, range: Self.tail)) == 2)
  }

  @Test func `the same client goes on with a slot that it gave back`() {
    #expect(resumed(decide([free(2, client: Self.alice, bytes: 5)], of: 3, range: Self.tail)) == 2)
    #expect(resumed(decide([leased(1, seconds: -5)], range: Self.tail)) == 1)
  }

  @Test(arguments: [(0, true), (59, true), (60, false), (61, false), (-100, true)])
  func `a consumed slot is resumed for 60 seconds`(secondsAgo: Int64, isResumed: Bool) {
    let slot = consumed(1, secondsAgo: secondsAgo)
    let decision = decide([slot], range: Self.tail)
    if isResumed {
      #expect(resumedConsumed(decision) == 1)
      #expect(resumedConsumed(decide([slot], range: Self.middle)) == 1)
    } else {
      #expect(decision == .gone)
    }
  }

  @Test func `resuming a consumed slot spends nothing and is charged`() {
    let slot = consumed(1)
    guard case .resumeConsumed(let resumed, _) = decide([slot], range: Self.tail) else {
      Issue.record("was not resumed")
      return
    }
    #expect(resumed.phase == slot.phase)
    #expect(resumed.consumedBy == slot.consumedBy)
    #expect(resumed.client == slot.client)
    #expect(resumed.bytesServed == slot.bytesServed + 60_000)
  }

  @Test(arguments: [(0, true), (1, false)])
  func `resuming a consumed slot has a bound`(difference: Int64, isResumed: Bool) {
    let bytes = DownloadSlot.resumeBudget(size: Self.size) - 60_000 + difference
    #expect((resumedConsumed(decide([consumed(1, bytes: bytes)], range: Self.tail)) == 1) == isResumed)
  }

  @Test func `a whole resumption fits after the costliest delivery`() throws {
    let start = DownloadSlot.byteBudget(size: Self.size) - 1
    guard case .lease(let slot, _) = decide([free(1, bytes: start)]) else {
      Issue.record("was not leased")
      return
    }
    let spent = try slot.consuming(nonce: 99, bytesSent: Self.size, now: noon)
    #expect(resumedConsumed(decide([spent], range: 1...99_999)) == 1)
  }

  @Test func `what is leased or given back is resumed before what is consumed`() {
    #expect(resumed(decide([consumed(1), leased(2)], of: 2, range: Self.tail)) == 2)
    #expect(resumed(decide([consumed(1), free(2, client: Self.alice)], of: 2, range: Self.tail)) == 2)
    #expect(resumed(decide([free(1, client: Self.alice), leased(2)], of: 2, range: Self.tail)) == 2)
    // A slot that nobody has held is not given back.
    #expect(resumedConsumed(decide([consumed(1), free(2)], of: 2, range: Self.tail)) == 1)
  }

  @Test func `a takeover that would use the slot up is refused while it is held`() {
    #expect(resumed(decide([leased(1, attempts: 8)], range: Self.tail)) == 1)
    #expect(decide([leased(1, attempts: 9)], range: Self.tail) == .locked(retryAfter: 30))
    #expect(fresh(decide([leased(1, attempts: 9)], of: 2, range: Self.tail)) == 2)
  }

  // MARK: Parts

  @Test func `a part is charged up front and leases nothing`() {
    let slot = DownloadSlot(number: 1, phase: .free, client: nil, bytesServed: 10_000, attempts: 0)
    #expect(decide([], range: Self.head) == .part(slot: slot, advance: 0))
    #expect(
      decide([], range: 0...1_023)
        == .part(
          slot: DownloadSlot(number: 1, phase: .free, client: nil, bytesServed: 1_024, attempts: 0), advance: 0))
  }

  @Test func `pieces of any number are no attempts`() {
    var slots: [DownloadSlot] = []
    for piece in 0..<99 {
      let start = Int64(piece) * 1_000
      guard case .part(let charged, _) = decide(slots, range: start...(start + 999)) else {
        Issue.record("no piece \(piece)")
        return
      }
      slots = [charged]
    }
    #expect(slots[0].bytesServed == 99_000 && slots[0].attempts == 0)
    #expect(fresh(decide(slots, range: 99_000...99_999)) == 1)
  }

  @Test func `what is paid in advance never uses a slot up`() {
    let budget = DownloadSlot.byteBudget(size: Self.size)
    for bytes in [0, 1_000_000, budget - 10_001, budget - 10_000, budget - 1] as [Int64] {
      let request = DeliveryRequest(size: Self.size, range: Self.head, client: Self.alice, advance: 1 << 40)
      let decision = SlotChoice.decide(
        slots: [free(1, bytes: bytes)], limit: .one, request: request, nonce: 99, leaseSeconds: 60, now: noon)
      guard case .part(let slot, let advance) = decision else {
        Issue.record("no piece at \(bytes)")
        continue
      }
      #expect(slot.bytesServed == bytes + 10_000 + advance)
      #expect(slot.isExhausted(size: Self.size) == (bytes + 10_000 >= budget))
    }
  }

  /// Connections that died leave their charges until that is noticed: nothing is spent by them.
  @Test func `a slot waits for the refunds of pieces on their way`() {
    let budget = DownloadSlot.byteBudget(size: Self.size)
    var slot = free(1, client: Self.alice, bytes: budget + 5)
    slot.pending = 6
    for range in [nil, Self.head, Self.tail] {
      #expect(decide([slot], range: range) == .locked(retryAfter: 1))
      #expect(decide([slot], range: range, by: Self.bob) == .locked(retryAfter: 1))
    }
    #expect(left([slot], of: 1) == .leased(remaining: 1))
    #expect(left([slot], of: 2) == .available(remaining: 2))
    #expect(SlotChoice.usedUp(slots: [slot], limit: .one, size: Self.size, now: noon).isEmpty)
    slot.pending = 5
    #expect(decide([slot], range: Self.head) == .gone)
    #expect(left([slot], of: 1) == .consumed)
    #expect(SlotChoice.usedUp(slots: [slot], limit: .one, size: Self.size, now: noon).count == 1)
  }

  @Test func `a prepaid piece is charged nothing`() {
    let request = DeliveryRequest(size: Self.size, range: Self.head, client: Self.alice, advance: 5, isPrepaid: true)
    let slot = free(1, bytes: 77)
    let decision = SlotChoice.decide(
      slots: [slot], limit: .one, request: request, nonce: 99, leaseSeconds: 60, now: noon)
    #expect(decision == .part(slot: slot, advance: 0))
  }

  @Test func `a client that is not known is never the same`() {
    func decide(_ slots: [DownloadSlot], _ range: ClosedRange<Int64>, of count: Int = 1) -> LeaseDecision {
      SlotChoice.decide(
        slots: slots, limit: limit(count), request: DeliveryRequest(size: Self.size, range: range, client: nil),
        nonce: 99, leaseSeconds: 60, now: noon)
    }
    let unknown = DownloadSlot(
      number: 1, phase: .leased(Lease(nonce: 1, until: noon.adding(seconds: 30))), client: nil, bytesServed: 0,
      attempts: 0)
    let spent = DownloadSlot(
      number: 1, phase: .consumed(at: noon), client: nil, bytesServed: Self.size, attempts: 0, consumedBy: 1)
    for range in [Self.tail, Self.middle, Self.head] {
      #expect(decide([unknown], range) == .locked(retryAfter: 30))
      #expect(decide([spent], range) == .gone)
      #expect(decide([consumed(1)], range) == .gone)
    }
    #expect(fresh(decide([free(1)], Self.tail)) == 1)
    #expect(part(decide([free(1)], Self.head)) == 1)
    #expect(fresh(decide([unknown], Self.tail, of: 2)) == 2)
  }

  @Test func `a part needs a slot that no other client holds`() {
    #expect(part(decide([leased(1)], range: Self.head)) == 1)
    #expect(part(decide([leased(1)], range: Self.middle)) == 1)
    #expect(decide([leased(1)], range: Self.head, by: Self.bob) == .locked(retryAfter: 30))
    #expect(decide([leased(1)], range: Self.middle, by: Self.bob) == .locked(retryAfter: 30))
    #expect(part(decide([leased(1)], of: 2, range: Self.head, by: Self.bob)) == 2)
    #expect(part(decide([leased(1, seconds: 0)], range: Self.head, by: Self.bob)) == 1)
    #expect(decide([consumed(1)], range: Self.head, by: Self.bob) == .gone)
    // What this client lacks of a download that is spent.
    #expect(resumedConsumed(decide([consumed(1)], range: Self.head)) == 1)
    #expect(resumedConsumed(decide([consumed(1)], of: 2, range: Self.head)) == 1)
    #expect(decide([consumed(1, secondsAgo: 60)], range: Self.head) == .gone)
  }

  @Test func `a part leaves the lease of its slot alone, expired or not`() {
    for seconds in [0, 30] as [Int64] {
      let slot = leased(1, seconds: seconds)
      guard case .part(let charged, _) = decide([slot], range: Self.head) else {
        Issue.record("no part at \(seconds)")
        continue
      }
      #expect(charged.phase == slot.phase)
      #expect(charged.client == slot.client)
    }
  }

  @Test func `the last part of the budget uses the slot up, and a held slot gives no more`() {
    let budget = DownloadSlot.byteBudget(size: Self.size)
    guard case .part(let last, _) = decide([free(1, bytes: budget - 1)], range: Self.head) else {
      Issue.record("no part")
      return
    }
    #expect(last.isExhausted(size: Self.size) && !last.isConsumed)
    #expect(decide([last], range: Self.head) == .gone)
    #expect(decide([last]) == .gone)
    #expect(decide([leased(1, attempts: 10)], range: Self.head) == .locked(retryAfter: 30))
  }

  // MARK: What is left

  private func left(_ slots: [DownloadSlot], of count: Int) -> Availability {
    SlotChoice.availability(slots: slots, limit: limit(count), size: Self.size, now: noon)
  }

  @Test func `what is left`() {
    #expect(left([], of: 3) == .available(remaining: 3))
    #expect(left([free(1), leased(2)], of: 3) == .available(remaining: 3))
    #expect(left([consumed(1), leased(2), consumed(3)], of: 3) == .leased(remaining: 1))
    #expect(left([consumed(1), leased(2, seconds: 0), consumed(3)], of: 3) == .available(remaining: 1))
    #expect(left([consumed(1), consumed(0), consumed(9)], of: 3) == .available(remaining: 2))
    #expect(left([consumed(1)], of: 1) == .consumed)
  }

  /// One function for the answer and for those who look: what is left is exactly what a new client can get or wait for.
  @Test(arguments: Seed.all)
  func `what is left is what a request gets`(seed: Seed) throws {
    var generator = seed.generator()
    let budget = DownloadSlot.byteBudget(size: Self.size)
    var seen: Set<String> = []
    for _ in 0..<3_000 {
      let count = Int.random(in: 1...3, using: &generator)
      let slots: [DownloadSlot] = (1...count).compactMap { number in
        switch Int.random(in: 0...4, using: &generator) {
        case 0: nil
        case 1: free(number, bytes: .random(in: (budget - 1)...budget, using: &generator))
        case 2: free(number, attempts: .random(in: 9...10, using: &generator))
        case 3:
          leased(
            number, seconds: .random(in: -1...2, using: &generator), bytes: 2_000,
            attempts: .random(in: 8...9, using: &generator))
        default: consumed(number)
        }
      }
      let left = left(slots, of: count)
      let decision = decide(slots, of: count, by: Self.bob)
      seen.insert(left.state.rawValue)
      switch left {
      case .available: try #require(fresh(decision) != nil)
      case .leased: if case .locked = decision {} else { Issue.record("\(decision) where \(left) is said") }
      case .consumed: try #require(decision == .gone)
      }
      let stored = SlotChoice.usedUp(slots: slots, limit: limit(count), size: Self.size, now: noon)
      let isStoredAsConsumed = stored.allSatisfy(\.isConsumed)
      try #require(isStoredAsConsumed)
      let numbers = Set(stored.map(\.number))
      let after = slots.filter { !numbers.contains($0.number) } + stored
      try #require(SlotChoice.isConsumed(slots: after, limit: limit(count)) == (left == .consumed))
    }
    #expect(seen == ["available", "leased", "consumed"])
  }

  @Test(
    arguments: [
      (nil, 100_000, true, false), (0...99_999, 100_000, true, false), (1...99_999, 99_999, true, true),
      (0...0, 1, false, false), (99_999...99_999, 1, true, true),
      (99_998...99_998, 1, false, true), (50_000...Int64.max, 50_000, true, true), (0...99_998, 99_999, false, false),
    ] as [(ClosedRange<Int64>?, Int64, Bool, Bool)])
  func `requests`(range: ClosedRange<Int64>?, length: Int64, includesLastByte: Bool, isContinuation: Bool) {
    let request = DeliveryRequest(size: Self.size, range: range, client: [])
    #expect(request.length == length)
    #expect(request.includesLastByte == includesLastByte)
    #expect(request.isContinuation == isContinuation)
  }

  // MARK: Any slots

  /// Whatever is stored: a decision never touches what it must not, and only one slot.
  @Test(arguments: Seed.all)
  func `a decision is allowed by its slot`(seed: Seed) throws {
    var generator = seed.generator()
    var seen: Set<String> = []
    for _ in 0..<3_000 {
      let count = Int.random(in: 1...3, using: &generator)
      let slots: [DownloadSlot] = (1...count).compactMap { number in
        let client = [Self.alice, Self.bob].randomElement(using: &generator) ?? []
        return switch Int.random(in: 0...3, using: &generator) {
        case 0: nil
        case 1: free(number, client: client, attempts: .random(in: 0...9, using: &generator))
        case 2:
          leased(
            number, client: client, seconds: .random(in: -1...2, using: &generator),
            attempts: .random(in: 0...9, using: &generator))
        default: consumed(number, client: client, secondsAgo: .random(in: 58...61, using: &generator))
        }
      }
      let range = [nil, Self.tail, Self.middle, Self.head].randomElement(using: &generator) ?? nil
      let request = DeliveryRequest(size: Self.size, range: range, client: Self.alice)
      let decision = decide(slots, of: count, range: range)
      switch decision {
      case .lease(let slot, let isResumed):
        seen.insert(isResumed ? "resumed" : "lease")
        let before = slots.first { $0.number == slot.number }
        try #require(request.includesLastByte && (1...count).contains(slot.number) && before?.isConsumed != true)
        if let lease = before?.lease, !lease.isExpired(at: noon) {
          try #require(isResumed && before?.client == Self.alice && request.isContinuation)
        }
      case .part(let slot, _):
        seen.insert("part")
        let before = slots.first { $0.number == slot.number }
        try #require(!request.includesLastByte && before?.isConsumed != true && slot.lease == before?.lease)
      case .resumeConsumed(let slot, _):
        seen.insert("consumed")
        try #require(request.isPiece && slot.isConsumed && slot.client == Self.alice)
      case .locked(let seconds):
        seen.insert("locked")
        try #require((1...60).contains(seconds) && slots.count == count)
        try #require(slots.contains { $0.lease.map { !$0.isExpired(at: noon) } ?? false })
      case .gone:
        seen.insert("gone")
        try #require(slots.count == count && !slots.contains { $0.phase == .free && $0.attempts < 9 })
      }
    }
    #expect(seen.count == 6)
  }
}
