// Which slot a request gets.
//
// A request for a piece (it lacks the first or the last byte) goes on with a slot that its client held before: first one
// that is still leased, then one that was given back, last one that was consumed a moment ago. In this order, because the
// last costs nothing: a client with two deliveries under way must not finish the second one for free.
// Every other request takes the lowest slot that it can get, so slots beyond the first exist only when needed.

/// The choice of a download slot: a pure function of the stored slots, the request and the time.
public enum SlotChoice {
  /// Decides what to do with a request for a counted upload that has not expired.
  ///
  /// - Parameters:
  ///   - slots: the stored slots, in any order. A number of 1…limit that is missing is a slot nobody has used; other
  ///     numbers are ignored.
  ///   - limit: how many slots there are.
  ///   - nonce: random, new for every decision.
  ///   - leaseSeconds: length of a new lease.
  ///   - resumeSeconds: for how long a consumed slot can be resumed.
  public static func decide(
    slots: [DownloadSlot],
    limit: DownloadLimit,
    request: DeliveryRequest,
    nonce: UInt64,
    leaseSeconds: Int64,
    resumeSeconds: Int64 = 60,
    now: Timestamp
  ) -> LeaseDecision {
    let slots = slots.filter { (1...limit.count).contains($0.number) }.sorted { $0.number < $1.number }
    let offer = Offer(
      request: request,
      nonce: nonce,
      until: now.adding(seconds: leaseSeconds),
      resumeSeconds: resumeSeconds,
      now: now
    )
    if request.isPiece, let decision = offer.continuation(among: slots) { return decision }
    if let decision = lowest(of: slots, limit: limit, taking: offer.fresh) { return decision }
    return refusal(slots, leaseSeconds: leaseSeconds, size: request.size, now: now)
  }

  /// Whether every slot is stored as consumed, which is final whoever says so.
  public static func isConsumed(slots: [DownloadSlot], limit: DownloadLimit) -> Bool {
    slots.count { $0.isConsumed && (1...limit.count).contains($0.number) } >= limit.count
  }

  /// What is left of a counted upload. Answers, HEAD, pages and the API all ask here.
  ///
  /// - Parameter slots: the stored slots, in any order; a number of 1…limit that is missing is a slot nobody has used.
  public static func availability(
    slots: [DownloadSlot], limit: DownloadLimit, size: Int64, now: Timestamp
  ) -> Availability {
    let current = slots.filter { (1...limit.count).contains($0.number) }.map { $0.settled(size: size, now: now) }
    let remaining = limit.count - current.count { $0.isConsumed }
    if remaining == 0 { return .consumed }
    let isHeld = current.allSatisfy { $0.isConsumed || $0.lease != nil || $0.isExhausted(size: size) }
    return isHeld && current.count == limit.count ? .leased(remaining: remaining) : .available(remaining: remaining)
  }

  /// Slots that are used up without being stored as consumed: by pieces, or by senders that crashed. As they are to be
  /// stored.
  public static func usedUp(
    slots: [DownloadSlot], limit: DownloadLimit, size: Int64, now: Timestamp
  ) -> [DownloadSlot] {
    slots.filter { (1...limit.count).contains($0.number) && !$0.isConsumed }
      .map { $0.settled(size: size, now: now) }
      .filter(\.isConsumed)
  }

  /// The decision for the lowest slot that can be taken, the first one that is not stored included.
  private static func lowest(
    of slots: [DownloadSlot],
    limit: DownloadLimit,
    taking take: (DownloadSlot) -> LeaseDecision?
  ) -> LeaseDecision? {
    var number = 1
    for slot in slots {
      // A gap: an unused slot can always be taken.
      if number < slot.number { break }
      if let decision = take(slot) { return decision }
      number = slot.number + 1
    }
    return number <= limit.count ? take(DownloadSlot(unused: number)) : nil
  }

  private static func refusal(
    _ slots: [DownloadSlot],
    leaseSeconds: Int64,
    size: Int64,
    now: Timestamp
  ) -> LeaseDecision {
    let ends = slots.compactMap { slot -> Timestamp? in
      let current = slot.settled(size: size, now: now)
      // A free slot that cannot be had waits for the refunds of pieces.
      return current.phase == .free ? now : current.lease?.until
    }
    guard let earliest = ends.min() else { return .gone }
    let (seconds, rest) = earliest.milliseconds(since: now).dividedByFlooring(1_000)
    return .locked(retryAfter: Int(clamping: min(max(1, rest == 0 ? seconds : seconds + 1), max(1, leaseSeconds))))
  }
}
