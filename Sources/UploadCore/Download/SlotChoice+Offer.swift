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
      let own = slots.filter { $0.client == request.client }
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
      guard case .consumed(let consumption) = slot.phase,
        now.milliseconds(since: consumption) < resumeSeconds.multipliedSaturated(by: 1_000),
        slot.bytesServed.addingSaturated(request.length) <= DownloadSlot.resumeBudget(size: request.size)
      else { return nil }
      return .resumeConsumed(slot: slot.chargingPart(bytes: request.length, now: now, size: request.size))
    }

    /// A part is charged to a slot without taking it, and so not to one which another client holds.
    private func part(of slot: DownloadSlot) -> LeaseDecision? {
      let current = slot.settled(size: request.size, now: now)
      if current.isConsumed || current.isExhausted(size: request.size) { return nil }
      if current.lease != nil, current.client != request.client { return nil }
      // Charged to the slot as it is stored: the holder of an expired lease may still finish.
      return .part(slot: slot.chargingPart(bytes: request.length, now: now, size: request.size))
    }

    private func first(_ slots: [DownloadSlot], _ take: (DownloadSlot) -> LeaseDecision?) -> LeaseDecision? {
      for slot in slots {
        if let decision = take(slot) { return decision }
      }
      return nil
    }
  }
}
