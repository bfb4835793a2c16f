extension SlotChoice {
  /// One request at one time, tried on one slot after the other.
  struct Offer {
    let request: DeliveryRequest
    let nonce: UInt64
    let until: Timestamp
    let resumeSeconds: Int64
    let now: Timestamp

    /// Goes on with a slot which this client held before; `nil` when there is none.
    func continuation(among slots: [DownloadSlot]) -> LeaseDecision? {
      let own = slots.filter { request.isOfHolder($0) }
      return first(own.filter { $0.lease != nil }, resumed)
        ?? first(own.filter { $0.phase == .free }, resumed)
        ?? first(own, resumedAfterConsumption)
    }

    /// A slot for a delivery of its own, or for a part of one; `nil` when this slot cannot be had.
    func fresh(_ slot: DownloadSlot) -> LeaseDecision? {
      guard request.includesLastByte else { return part(of: slot) }
      guard
        let leased = try? slot.leasing(nonce: nonce, client: request.client, until: until, now: now, size: request.size)
      else { return nil }
      return .lease(slot: leased, resumed: false)
    }

    private func resumed(_ slot: DownloadSlot) -> LeaseDecision? {
      guard request.includesLastByte else { return part(of: slot) }
      guard
        let leased = try? slot.resuming(
          nonce: nonce, client: request.client, until: until, now: now, size: request.size)
      else { return nil }
      return .lease(slot: leased, resumed: true)
    }

    private func resumedAfterConsumption(_ slot: DownloadSlot) -> LeaseDecision? {
      guard case .consumed(let time) = slot.phase, request.isContinuation || !slot.isSpentWhole,
        slot.isResumable(
          since: time, bytes: request.isPrepaid ? 0 : request.length, size: request.size, resumeSeconds: resumeSeconds,
          now: now)
      else { return nil }
      let advance = advance(slot, upTo: DownloadSlot.resumeBudget(size: request.size))
      return .resumeConsumed(slot: charging(slot, advance), advance: advance)
    }

    /// A part is charged to a slot without taking it, and so not to one which another client holds.
    private func part(of slot: DownloadSlot) -> LeaseDecision? {
      let current = slot.settled(size: request.size, now: now)
      if current.isConsumed || current.isExhausted(size: request.size) { return nil }
      if current.lease != nil, !request.isOfHolder(current) { return nil }
      // Charged to the slot as it is stored: the holder of an expired lease may still finish.
      let advance = advance(slot, upTo: DownloadSlot.byteBudget(size: request.size))
      return .part(slot: charging(slot, advance), advance: advance)
    }

    /// What is paid in advance must not use the slot up: it takes at most half of what is left.
    private func advance(_ slot: DownloadSlot, upTo budget: Int64) -> Int64 {
      let left = budget.subtractingSaturated(slot.bytesServed).subtractingSaturated(request.length)
      return request.isPrepaid ? 0 : min(request.advance, max(0, left / 2))
    }

    private func charging(_ slot: DownloadSlot, _ advance: Int64) -> DownloadSlot {
      request.isPrepaid ? slot : slot.chargingPiece(bytes: request.length.addingSaturated(advance))
    }

    private func first(_ slots: [DownloadSlot], _ take: (DownloadSlot) -> LeaseDecision?) -> LeaseDecision? {
      for slot in slots {
        if let decision = take(slot) { return decision }
      }
      return nil
    }
  }
}
