import UploadCore

// Taking a slot.
extension R2DownloadLedger {
  /// Claims that are read at the same time.
  private static let parallelReads = 8

  func begin(
    _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp, consumes: Bool
  ) async throws -> LeaseDecision {
    let id = record.id
    // The claims of an upload whose time is over may be gone: nobody may begin again with the first.
    guard let limit = record.maxDownloads, !id.isExpired(at: now), !memory.isGone(id) else { return .gone }
    memory.remember(limit, of: id)
    // One for all rounds, so that a write of an earlier round is known again.
    let (nonce, mark) = (Self.random(), Self.random())
    // Pieces of one client meet each other on several nodes: they wait longer than somebody who only wants to know.
    var pauses = ClaimPatience.Pauses(patience, times: request.isPiece ? 5 : 1)
    var view = try await firstView(id, limit, request)
    for _ in 0..<Self.rounds {
      if memory.isGone(id) { return .gone }
      let decision = SlotChoice.decide(
        slots: deliveries.mark(view.slots, of: id), limit: limit, request: request, nonce: nonce,
        leaseSeconds: leaseSeconds,
        resumeSeconds: resumeSeconds, now: now)
      deliveries.willLease(decision, of: id, over: view.slots)
      guard var slot = decision.slot else {
        guard view.isFresh || view.isUsedUp(limit) else {
          view = try await look(id, limit)
          continue
        }
        if decision == .gone { await noteUsedUp(record, limit, &view, mark: mark, now: now) }
        return decision
      }
      if consumes, case .lease = decision {
        slot = try slot.consuming(nonce: nonce, bytesSent: request.length, now: now)
      }
      let base = view.claims[slot.number]?.eTag
      let claim = Claim(slot: slot, mark: mark)
      switch try await settle(claim, of: id, over: base, &pauses, isHolder: false) {
      case .stored:
        if slot.isConsumed, consumes { await noteConsumption(id) }
        return decision
      case .changed(let stored, _):
        // Stored, and somebody has charged a part to it since.
        if let stored, stored.claim.slot.isHeld(by: nonce) {
          if stored.claim.slot.isConsumed { await noteConsumption(id) }
          return decision
        }
        view.claims[slot.number] = stored
        // A slot that somebody has begun meanwhile is hardly the only one.
        if base == nil, limit.count > 1, !view.isFresh { view = try await look(id, limit) }
      }
    }
    return .locked(retryAfter: 1)
  }

  /// Nothing is left. Slots that were used up without a delivery are stored as consumed, so that the bytes can go.
  private func noteUsedUp(
    _ record: UploadRecord, _ limit: DownloadLimit, _ view: inout ClaimView, mark: UInt64, now: Timestamp
  ) async {
    let slots = deliveries.mark(view.slots, of: record.id)
    for slot in SlotChoice.usedUp(slots: slots, limit: limit, size: record.size, now: now) {
      var pauses = ClaimPatience.Pauses(patience)
      let claim = Claim(slot: slot, mark: mark)
      // What cannot be stored now is found again by the next request.
      _ = try? await settle(claim, of: record.id, over: view.claims[slot.number]?.eTag, &pauses, isHolder: false)
      view.claims[slot.number] = memory.claim(record.id, slot.number)
    }
    if view.isUsedUp(limit) { await report(record.id, view) }
  }

  /// What to decide on first: what is remembered, if that is enough to propose a slot.
  private func firstView(_ id: UploadID, _ limit: DownloadLimit, _ request: DeliveryRequest) async throws -> ClaimView {
    let known = ClaimView(claims: memory.claims(id), isFresh: false)
    // A single slot needs no view: if it is not as remembered the write tells.
    if limit.count == 1 || known.isUsedUp(limit) { return known }
    // Who continues must find the slot that was theirs, which another node may have seen.
    return known.claims.isEmpty || request.isContinuation ? try await look(id, limit) : known
  }

  /// Reads all claims but those that are known to be consumed.
  func look(_ id: UploadID, _ limit: DownloadLimit) async throws -> ClaimView {
    var numbers = [1]
    if limit.count > 1 {
      numbers = try await claims.numbers(id)
      if numbers.contains(ClaimKey.tombstone) { memory.rememberGone(id) }
    }
    var view = ClaimView(claims: memory.claims(id).filter { $0.value.claim.slot.isConsumed }, isFresh: true)
    let unknown = numbers.filter { (1...limit.count).contains($0) && view.claims[$0] == nil }
    try await withThrowingTaskGroup(of: (Int, StoredClaim?).self) { group in
      var rest = unknown[...]
      var running = 0
      while true {
        while running < Self.parallelReads, let number = rest.popFirst() {
          group.addTask { (number, try await read(id, number)) }
          running += 1
        }
        guard let (number, claim) = try await group.next() else { return }
        running -= 1
        view.claims[number] = claim
      }
    }
    return view
  }
}

extension LeaseDecision {
  /// The slot that is to be stored.
  fileprivate var slot: DownloadSlot? {
    switch self {
    case .lease(let slot, _), .part(let slot, _), .resumeConsumed(let slot, _): slot
    case .locked, .gone: nil
    }
  }
}

extension DownloadSlot {
  /// Whether the slot is leased or was consumed with this nonce.
  fileprivate func isHeld(by nonce: UInt64) -> Bool {
    lease?.nonce == nonce || consumedBy == nonce
  }
}
