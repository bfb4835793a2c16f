import UploadCore

// A model of two nodes that share one claim in a store which knows conditional writes and nothing else. `DeliveryModel`
// takes a compare-and-set for one step; here it is what it is over a network: a write travels, takes effect at some time
// or never, and its answer comes or does not. So a write may take effect long after its sender has given it up, a node
// may sleep between any two steps for longer than its lease, and may crash at each of them.
//
// The rules are the real ones (`SlotChoice`, `DownloadSlot`); what the model repeats of a ledger is how it learns whether a
// write is stored: by its answer, or by reading back and looking for its mark.

/// A state of the model.
struct ClaimModel: Hashable {
  /// A mistake which somebody might build in. The search has to find what it breaks; else it would prove nothing.
  enum Flaw: CaseIterable {
    /// Writes without a condition.
    case writesOverOthers
    /// Takes a lost answer for success.
    case trustsLostAnswers
    /// Takes any consumed slot that it reads back for its own.
    case takesOthersConsumption
    /// After a conflict consumes what is there, whoever holds it.
    case consumesWithoutNonce
  }

  /// What the store has.
  struct Claim: Hashable {
    var slot: DownloadSlot
    /// Which call has written it; the entity tag of the model.
    var tag: Tag
  }

  /// Every different content has a different tag: the mark of the call, and what it was written over.
  struct Tag: Hashable {
    var mark: Int
    var round: Int
  }

  /// A request on its way to the store.
  struct Write: Hashable {
    var claim: Claim
    /// Nil: only if there is none.
    var base: Tag?
  }

  /// What a node is doing for one client.
  enum Activity: Hashable {
    case idle
    /// Has decided, and waits for the answer to this write.
    case waiting(Purpose, Write)
    /// Was told nothing, and reads back.
    case doubting(Purpose, Write, isConflict: Bool)
    /// Holds a lease, as far as it knows; has sent all but the tail.
    case holding(Claim)
    /// May send the tail.
    case entitled
  }

  enum Purpose: Hashable {
    case lease, consume, renew, release
  }

  struct Node: Hashable {
    var activity = Activity.idle
    var client = 0
    var nonce: UInt64 = 0
    var mark = 0
    var round = 0
    var clock = ClaimModel.clocks[0]
  }

  static let size: Int64 = 1 << 20
  static let clocks = [noon, noon.adding(seconds: 100)]
  static let nodeIndices = 0..<2
  static let tailRange: ClosedRange<Int64> = (size - 65_536)...(size - 1)

  let flaw: Flaw?
  var stored: Claim?
  var nodes = [Node(), Node()]
  /// Writes whose senders do not wait any more; they may take effect yet.
  var late: Set<Write> = []
  var requestsLeft: Int
  /// How many answers may still be lost.
  var lossesLeft: Int
  var tailsSent = 0

  init(requests: Int, losses: Int, flaw: Flaw? = nil) {
    requestsLeft = requests
    lossesLeft = losses
    self.flaw = flaw
  }

  // MARK: Decisions

  func decision(_ range: ClosedRange<Int64>?, client: Int, nonce: UInt64, at clock: Timestamp) -> LeaseDecision {
    SlotChoice.decide(
      slots: stored.map { [$0.slot] } ?? [], limit: .one,
      request: DeliveryRequest(size: Self.size, range: range, client: [UInt8(client)]), nonce: nonce, leaseSeconds: 60,
      now: clock)
  }

  /// A request comes to a node, which reads the claim and proposes a lease.
  private func asking(_ index: Int, _ range: ClosedRange<Int64>?, client: Int, at clock: Timestamp) -> ClaimModel? {
    var next = self
    next.requestsLeft -= 1
    next.nodes[index] = Node(client: client, nonce: UInt64(requestsLeft), mark: requestsLeft * 10, clock: clock)
    guard case .lease(let slot, _) = decision(range, client: client, nonce: UInt64(requestsLeft), at: clock) else {
      return nil
    }
    next.send(index, .lease, slot, over: stored?.tag)
    return next
  }

  /// A holder takes its next step, from what it remembers of its claim.
  private func proceeding(_ index: Int, _ purpose: Purpose, from claim: Claim) -> ClaimModel {
    var next = self
    next.nodes[index].mark += 1
    next.nodes[index].round = 0
    next.propose(index, purpose, on: claim)
    return next
  }

  private mutating func propose(_ index: Int, _ purpose: Purpose, on claim: Claim) {
    let node = nodes[index]
    guard let slot = transition(purpose, node, claim.slot) else {
      // The lease is somebody else's: the end is not sent.
      nodes[index].activity = .idle
      return
    }
    if slot == claim.slot {
      settle(index, purpose, claim)
    } else {
      send(index, purpose, slot, over: claim.tag)
    }
  }

  private func transition(_ purpose: Purpose, _ node: Node, _ slot: DownloadSlot) -> DownloadSlot? {
    switch purpose {
    case .lease: return nil
    case .renew:
      return try? slot.renewing(
        nonce: node.nonce, until: node.clock.adding(seconds: 61), bytesSent: 1, now: node.clock)
    case .release: return try? slot.releasing(nonce: node.nonce, bytesSent: 1, now: node.clock, size: Self.size)
    case .consume:
      if flaw == .consumesWithoutNonce, let lease = slot.lease {
        return try? slot.consuming(nonce: lease.nonce, bytesSent: Self.size, now: node.clock)
      }
      return try? slot.consuming(nonce: node.nonce, bytesSent: Self.size, now: node.clock)
    }
  }

  private mutating func send(_ index: Int, _ purpose: Purpose, _ slot: DownloadSlot, over base: Tag?) {
    nodes[index].round += 1
    let claim = Claim(slot: slot, tag: Tag(mark: nodes[index].mark, round: nodes[index].round))
    nodes[index].activity = .waiting(purpose, Write(claim: claim, base: base))
  }

  // MARK: Outcomes

  /// The store takes a write, or does not.
  private mutating func apply(_ write: Write) -> Bool {
    guard flaw == .writesOverOthers || stored?.tag == write.base else { return false }
    stored = write.claim
    return true
  }

  /// What a node does when it knows that its write is stored.
  private mutating func settle(_ index: Int, _ purpose: Purpose, _ claim: Claim) {
    switch purpose {
    case .lease, .renew: nodes[index].activity = .holding(claim)
    case .consume: nodes[index].activity = .entitled
    case .release: nodes[index].activity = .idle
    }
  }

  /// Reads back what has become of a write.
  private func reading(_ index: Int, _ purpose: Purpose, _ write: Write) -> ClaimModel {
    var next = self
    if stored?.tag.mark == write.claim.tag.mark, let stored {
      next.settle(index, purpose, stored)
    } else if flaw == .takesOthersConsumption, purpose == .consume, stored?.slot.isConsumed == true {
      next.nodes[index].activity = .entitled
    } else if stored?.tag == write.base {
      // The same write again: then the one that may be late does no harm.
      next.nodes[index].activity = .waiting(purpose, write)
    } else if let stored {
      if purpose == .lease {
        next.nodes[index].activity = stored.slot.lease?.nonce == nodes[index].nonce ? .holding(stored) : .idle
      } else {
        next.propose(index, purpose, on: stored)
      }
    } else {
      next.nodes[index].activity = .idle
    }
    return next
  }

  // MARK: All orders

  /// Every state that may come next.
  var successors: [ClaimModel] {
    var states: [ClaimModel] = []
    for write in late {
      var next = self
      next.late.remove(write)
      // It has got lost, or takes effect now.
      states.append(next)
      if next.apply(write) { states.append(next) }
    }
    for index in Self.nodeIndices { states += steps(of: index) }
    return states
  }

  private func steps(of index: Int) -> [ClaimModel] {
    let node = nodes[index]
    var states: [ClaimModel] = []
    switch node.activity {
    case .idle:
      guard requestsLeft > 0 else { return [] }
      for client in 0..<2 {
        for clock in Self.clocks {
          for range in [nil, Self.tailRange] {
            if let next = asking(index, range, client: client, at: clock) { states.append(next) }
          }
        }
      }
      return states
    case .waiting(let purpose, let write): states += answers(index, purpose, write)
    case .doubting(let purpose, let write, _): states.append(reading(index, purpose, write))
    case .holding(let claim):
      for purpose in [Purpose.consume, .renew, .release] where purpose != .renew || claim.slot.lease?.bytesSent == 0 {
        states.append(proceeding(index, purpose, from: claim))
      }
    case .entitled:
      var next = self
      next.tailsSent += 1
      next.nodes[index] = Node()
      states.append(next)
    }
    // A crash; what was sent is on its way all the same.
    var crashed = self
    crashed.nodes[index] = Node()
    if case .waiting(_, let write) = node.activity { crashed.late.insert(write) }
    states.append(crashed)
    return states
  }

  private func answers(_ index: Int, _ purpose: Purpose, _ write: Write) -> [ClaimModel] {
    var taken = self
    let isStored = taken.apply(write)
    var states: [ClaimModel] = []
    // The store answers.
    var told = taken
    if isStored {
      told.settle(index, purpose, write.claim)
    } else {
      told.nodes[index].activity = .doubting(purpose, write, isConflict: true)
    }
    states.append(told)
    guard lossesLeft > 0 else { return states }
    // The answer is lost, or an error; or nothing has arrived yet.
    taken.lossesLeft -= 1
    var travelling = self
    travelling.lossesLeft -= 1
    travelling.late.insert(write)
    for var next in [taken, travelling] {
      if flaw == .trustsLostAnswers {
        next.settle(index, purpose, write.claim)
      } else {
        next.nodes[index].activity = .doubting(purpose, write, isConflict: false)
      }
      states.append(next)
    }
    return states
  }

  /// Visits every state that can be reached, once and nearest first; ends early when `visit` returns false.
  ///
  /// - Returns: how many there were.
  func explore(_ visit: (ClaimModel) -> Bool) -> Int {
    var seen: Set<ClaimModel> = [self]
    var frontier = [self]
    while !frontier.isEmpty {
      var further: [ClaimModel] = []
      for state in frontier {
        guard visit(state) else { return seen.count }
        for next in state.successors where seen.insert(next).inserted { further.append(next) }
      }
      frontier = further
    }
    return seen.count
  }
}
