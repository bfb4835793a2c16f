import UploadCore

// A model of everything that happens around the slots of one upload: clients ask, senders send, leases end, processes
// crash, answers are lost. The rules are the real ones (`SlotChoice`, `DownloadSlot`, `DeliveryStateMachine`); the model
// adds the store, the wire and all possible orders. One step is what is atomic in reality: a compare-and-set, or bytes
// that reach a client.
//
// The file has two pieces, the head, which may be sent freely, and the tail, which is exactly the last chunk.
// Clocks are not trusted: each request reads one of several, so that a lease which one node sees alive is over for
// another one, in both directions.

/// A state of the model.
struct DeliveryModel: Hashable {
  /// A mistake which somebody might build in. The search has to find what it breaks; else it would prove nothing.
  enum Flaw: CaseIterable {
    /// Consumes whatever slot is there.
    case consumesWithoutNonce
    /// Deletes the claim instead of freeing it by compare-and-set.
    case releasesByDeleting
    /// Sends the last chunk, then consumes.
    case sendsBeforeConsuming
    /// Takes an error of the store while consuming for success.
    case sendsWithoutConsuming
    /// Lets a stranger resume a consumed slot.
    case resumesForStrangers
  }

  /// Who sends to whom.
  struct Sender: Hashable {
    var client: Int
    var slot: Int
    var nonce: UInt64
    var clock: Timestamp
    var sendsHead: Bool
    var machine: DeliveryStateMachine
    var pending: DeliveryStateMachine.Action?
    var bytesSent: Int64 = 0
  }

  static let chunk = DeliveryStateMachine.maximumLastChunk
  static let size = 2 * chunk
  static let clients = 0..<2
  static let clocks = [noon, noon.adding(seconds: 100)]
  static let head = 0b01
  static let tail = 0b10

  let limit: DownloadLimit
  let flaw: Flaw?
  /// Fewer steps: no renewals, nobody asks for the head alone, and a crash is a sender that never acts again.
  let isSmall: Bool
  /// As stored: by number, from 1.
  var slots: [DownloadSlot?]
  var senders: [Sender] = []
  var requestsLeft: Int
  /// Which pieces each client has.
  var received = [0, 0]
  /// How often the tail was sent under a lease.
  var tailsSent = 0
  /// How often by deliveries of the whole file.
  var wholesSent = 0
  /// Of each slot: the nonce of its last lease, and which one that continues.
  var leases: [Int: [UInt64?]] = [:]

  init(limit: DownloadLimit, requests: Int, attempts: Int = 0, isSmall: Bool = false, flaw: Flaw? = nil) {
    self.limit = limit
    self.isSmall = isSmall
    self.flaw = flaw
    requestsLeft = requests
    slots = Array(repeating: nil, count: limit.count)
    if attempts > 0 {
      slots[0] = DownloadSlot(number: 1, phase: .free, client: nil, bytesServed: 0, attempts: attempts)
    }
  }

  /// Promise P1, in two forms: by tails that were sent, and by clients that have all the bytes.
  var keepsLimit: Bool {
    tailsSent <= limit.count && wholesSent <= limit.count
      && received.count { $0 == Self.head | Self.tail } <= limit.count
  }

  // MARK: Requests

  func decision(for client: Int, _ range: ClosedRange<Int64>?, nonce: UInt64, at clock: Timestamp) -> LeaseDecision {
    SlotChoice.decide(
      slots: slots.compactMap { $0 },
      limit: limit,
      request: DeliveryRequest(size: Self.size, range: range, client: [UInt8(client)]),
      nonce: nonce,
      leaseSeconds: 60,
      now: clock
    )
  }

  static let wholeFile: ClosedRange<Int64>? = nil
  static let tailRange: ClosedRange<Int64>? = chunk...(size - 1)
  static let headRange: ClosedRange<Int64>? = 0...(chunk - 1)

  /// A client asks for a range, at a node with this clock.
  func asking(_ client: Int, _ range: ClosedRange<Int64>?, at clock: Timestamp) -> DeliveryModel? {
    var next = self
    next.requestsLeft -= 1
    let nonce = UInt64(requestsLeft)
    switch decision(for: client, range, nonce: nonce, at: clock) {
    case .lease(let slot, let isResumed):
      let last = leases[slot.number]
      next.leases[slot.number] = [nonce, isResumed ? last?[1] ?? last?[0] : nil]
      next.slots[slot.number - 1] = slot
      var machine = DeliveryStateMachine(size: range == nil ? Self.size : Self.chunk)
      let pending = machine.handle(.started)
      next.senders.append(
        Sender(
          client: client,
          slot: slot.number,
          nonce: nonce,
          clock: clock,
          sendsHead: range == nil,
          machine: machine,
          pending: pending
        ))
    case .part(let slot, _):
      next.slots[slot.number - 1] = slot
      next.received[client] |= Self.head
    case .resumeConsumed(let slot, _):
      next.slots[slot.number - 1] = slot
      next.received[client] |= Self.tail
    case .gone where flaw == nil:
      // As a ledger does: what is used up is stored so.
      let usedUp = SlotChoice.usedUp(slots: slots.compactMap { $0 }, limit: limit, size: Self.size, now: clock)
      guard !usedUp.isEmpty else { return nil }
      for slot in usedUp { next.slots[slot.number - 1] = slot }
    case .locked, .gone:
      guard flaw == .resumesForStrangers, range?.lowerBound == Self.chunk else { return nil }
      next.received[client] |= Self.tail
    }
    return next
  }

  // MARK: Senders

  /// The sender does what its machine asked for.
  func acting(_ index: Int) -> DeliveryModel {
    var next = self
    let sender = senders[index]
    switch sender.pending {
    case .sendBulk(let count):
      next.senders[index].bytesSent += count
      if sender.sendsHead { next.received[sender.client] |= Self.head }
      // The acknowledgement touches no slot: no step of its own.
      next.report(.bulkSent, to: index)
      next.report(.peerAcknowledged, to: index)
    case .consume:
      if flaw == .sendsBeforeConsuming { next.sendTail(index) }
      let isConsumed = next.consume(index)
      next.report(isConsumed ? .consumeSucceeded : .consumeFailed, to: index)
    case .sendLastChunk:
      if flaw != .sendsBeforeConsuming { next.sendTail(index) }
      next.report(.lastChunkSent, to: index)
    case .release:
      if flaw == .releasesByDeleting {
        next.slots[sender.slot - 1] = nil
      } else if let slot = slots[sender.slot - 1],
        let free = try? slot.releasing(
          nonce: sender.nonce, bytesSent: sender.bytesSent, now: sender.clock, size: Self.size)
      {
        next.slots[sender.slot - 1] = free
      }
      next.senders.remove(at: index)
    case .waitForAcknowledgement, .abort, .finish, nil:
      // `report` has let these go.
      break
    }
    return next
  }

  /// The store consumes, but the answer is lost: the sender will ask again.
  func consumingWithLostAnswer(_ index: Int) -> DeliveryModel? {
    guard senders[index].pending == .consume else { return nil }
    var next = self
    return next.consume(index) ? next : nil
  }

  /// The sender renews its lease, or finds that it is lost.
  func renewing(_ index: Int) -> DeliveryModel {
    var next = self
    let sender = senders[index]
    let renewed = try? slots[sender.slot - 1]?.renewing(
      nonce: sender.nonce,
      client: sharing(sender),
      until: sender.clock.adding(seconds: 60),
      bytesSent: sender.bytesSent,
      now: sender.clock
    )
    if let renewed {
      next.slots[sender.slot - 1] = renewed
    } else {
      next.report(.leaseLost, to: index)
    }
    return next
  }

  func reporting(_ event: DeliveryStateMachine.Event, to index: Int) -> DeliveryModel {
    var next = self
    next.report(event, to: index)
    return next
  }

  func crashing(_ index: Int) -> DeliveryModel {
    var next = self
    next.senders.remove(at: index)
    return next
  }

  private mutating func report(_ event: DeliveryStateMachine.Event, to index: Int) {
    guard let action = senders[index].machine.handle(event) else { return }
    senders[index].pending = action
    // Whoever only closes a connection is of no interest any more: fewer states.
    if action == .abort || action == .finish { senders.remove(at: index) }
  }

  private mutating func sendTail(_ index: Int) {
    received[senders[index].client] |= Self.tail
    // What another request of the same client has spent is resumed, as `.resumeConsumed` is.
    if senders[index].sendsHead { wholesSent += 1 }
    if slots[senders[index].slot - 1]?.consumedBy == senders[index].nonce || flaw != nil { tailsSent += 1 }
  }

  private func sharing(_ sender: Sender) -> [UInt8]? {
    guard var slot = slots[sender.slot - 1] else { return nil }
    // A slot that was given back belongs to the chain still.
    if let lease = leases[slot.number], slot.phase == .free || lease[0] == slot.lease?.nonce ?? slot.consumedBy {
      slot.continues = lease[1]
    }
    return slot.sharing(client: [UInt8(sender.client)], nonce: sender.nonce, isPiece: !sender.sendsHead)
  }

  private mutating func consume(_ index: Int) -> Bool {
    let sender = senders[index]
    if flaw == .sendsWithoutConsuming { return true }
    if flaw == .consumesWithoutNonce {
      slots[sender.slot - 1]?.phase = .consumed(at: sender.clock)
      return true
    }
    guard
      let consumed = try? slots[sender.slot - 1]?.completing(
        nonce: sender.nonce, client: sharing(sender), bytesSent: Self.size, size: Self.size, resumeSeconds: 60,
        now: sender.clock)
    else { return false }
    slots[sender.slot - 1] = consumed
    return true
  }

  // MARK: All orders

  private var isUntouched: Bool { senders.isEmpty && received == [0, 0] && slots.allSatisfy { $0?.client == nil } }

  /// Every state that may come next.
  var successors: [DeliveryModel] {
    var states: [DeliveryModel] = []
    if requestsLeft > 0 {
      // The clients differ by name only, so the first request may be that of the first one.
      for client in isUntouched ? 0..<1 : Self.clients {
        for range in isSmall ? [Self.wholeFile, Self.tailRange] : [Self.wholeFile, Self.tailRange, Self.headRange] {
          for clock in Self.clocks {
            if let next = asking(client, range, at: clock) { states.append(next) }
          }
        }
      }
    }
    for index in senders.indices {
      states += [acting(index), reporting(.clientGone, to: index)]
      if !isSmall { states += [renewing(index), crashing(index)] }
      if let next = consumingWithLostAnswer(index) { states.append(next) }
    }
    return states
  }

  /// Visits every state that can be reached, once; ends early when `visit` returns false. Returns how many there were.
  func explore(_ visit: (DeliveryModel) -> Bool) -> Int {
    var seen: Set<DeliveryModel> = [self]
    var frontier = [self]
    while let state = frontier.popLast() {
      guard visit(state) else { return seen.count }
      for next in state.successors where seen.insert(next).inserted { frontier.append(next) }
    }
    return seen.count
  }
}
