import Testing
import UploadCore

@Suite struct DeliveryModelTests {
  /// What was seen on the way, so that a search that does not reach the interesting states fails.
  private struct Sightings {
    var limitReached = false
    var takeover = false
    var everybodyServed = false
    var exhaustion = false
    var lostAnswer = false
    var broken = 0

    mutating func look(at state: DeliveryModel) {
      if !state.keepsLimit { broken += 1 }
      if state.tailsSent == state.limit.count { limitReached = true }
      if state.received == [0b11, 0b11] { everybodyServed = true }
      for slot in state.slots.compactMap({ $0 }) {
        if slot.isConsumed, slot.consumedBy == nil { exhaustion = true }
        let senders = state.senders.filter { $0.slot == slot.number }
        if slot.lease != nil, senders.contains(where: { $0.nonce != slot.lease?.nonce }) { takeover = true }
        if senders.contains(where: { $0.nonce == slot.consumedBy && $0.pending == .consume }) { lostAnswer = true }
      }
    }
  }

  /// Promise P1 in every order of events.
  @Test(arguments: [(1, 3, 0, false), (1, 3, 9, false), (2, 3, 0, true)])
  func `at most N complete deliveries, in any order, with crashes at any step`(
    count: Int, requests: Int, attempts: Int, isSmall: Bool
  ) {
    var sightings = Sightings()
    let states = DeliveryModel(limit: limit(count), requests: requests, attempts: attempts, isSmall: isSmall).explore {
      state in
      sightings.look(at: state)
      return sightings.broken == 0
    }
    print("\(count) downloads, \(requests) requests, \(attempts) attempts before: \(states) states")
    #expect(sightings.broken == 0)
    #expect(sightings.limitReached)
    #expect(sightings.takeover)
    #expect(sightings.lostAnswer)
    #expect(sightings.exhaustion == (attempts > 0))
    #expect(sightings.everybodyServed == (count > 1))
    #expect(states > 1_000)
  }

  @Test(arguments: DeliveryModel.Flaw.allCases)
  func `the search finds flaws`(flaw: DeliveryModel.Flaw) {
    var isFound = false
    _ = DeliveryModel(limit: .one, requests: 3, flaw: flaw).explore { state in
      isFound = !state.keepsLimit
      return !isFound
    }
    #expect(isFound)
  }

  /// Promise P2: whatever happened, a slot that nobody consumed can be had when the leases are over, and who consumed
  /// one without getting the end can get it.
  @Test func `nothing is spent by accident`() {
    let muchLater = noon.adding(seconds: 1_000)
    var stranded: [DeliveryModel] = []
    var quiet = 0
    var resumed = 0
    _ = DeliveryModel(limit: .one, requests: 3).explore { state in
      let slot = state.slots[0] ?? DownloadSlot(unused: 1)
      if case .consumed(let time) = slot.phase, let client = slot.client?.first {
        resumed += 1
        let decision = state.decision(for: Int(client), DeliveryModel.tailRange, nonce: 99, at: time)
        guard case .resumeConsumed = decision else {
          stranded.append(state)
          return false
        }
      } else if state.tailsSent == 0 {
        quiet += 1
        for client in DeliveryModel.clients {
          guard case .lease = state.decision(for: client, nil, nonce: 99, at: muchLater) else {
            stranded.append(state)
            return false
          }
        }
      }
      return true
    }
    #expect(stranded.isEmpty)
    #expect(quiet > 100)
    #expect(resumed > 100)
  }

  /// The bound of promise P5: a client that never finishes is served ten attempts out of a slot, however it tries.
  @Test(arguments: Seed.all)
  func `all but the last byte is not for ever`(seed: Seed) throws {
    var generator = seed.generator()
    let size: Int64 = 1 << 20
    for _ in 0..<20 {
      var slot: DownloadSlot?
      var now = noon
      var served = 0
      var nonce: UInt64 = 0
      var isGone = false
      for _ in 0..<200 {
        nonce += 1
        now = now.adding(seconds: .random(in: 0...90, using: &generator))
        let range: ClosedRange<Int64>? = [nil, 1...(size - 1), 0...(size - 2)].randomElement(using: &generator) ?? nil
        let decision = SlotChoice.decide(
          slots: slot.map { [$0] } ?? [], limit: .one, request: DeliveryRequest(size: size, range: range, client: [1]),
          nonce: nonce, leaseSeconds: 60, now: now)
        switch decision {
        case .lease(var leased, _):
          // Everything but the last byte is sent; then the sender renews, gives up, or is overtaken by the next request.
          served += 1
          if Bool.random(using: &generator) {
            leased = try leased.releasing(nonce: nonce, bytesSent: size - 1, now: now, size: size)
          } else {
            leased = try leased.renewing(nonce: nonce, until: now, bytesSent: size - 1, now: now)
          }
          slot = leased
        case .part(let charged, _):
          served += 1
          slot = charged
        case .resumeConsumed(let charged, _):
          served += 1
          slot = charged
        case .locked: break
        case .gone: isGone = true
        }
      }
      // Ten attempts, one that was under way, and what is resumed of a slot that is used up.
      try #require(served <= 16)
      try #require(isGone)
    }
  }
}
