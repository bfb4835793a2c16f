// A transition returns the slot as it is to be stored, or throws why there is none. The ledger stores it only if the
// slot it read is still there (compare-and-set), and otherwise reads again and decides anew.
//
// Two rules carry promise P1. Only `consuming` may be followed by the last chunk, and it demands the nonce of the
// current lease; and nothing leads away from consumed. An expired lease may be taken over, but as long as nobody did,
// its holder may still renew and consume: whether it is late is a question of clocks, whether it is replaced is not.

extension DownloadSlot {
  /// A new sender takes a slot that is free, or whose lease has expired; what the former holder sent is charged.
  ///
  /// - Parameters:
  ///   - nonce: random, new for every lease.
  ///   - client: salted hash of the client's address; `nil` when it is not known.
  ///   - until: when others may take the slot over.
  ///   - size: bytes of the upload, for the budget.
  /// - Throws: `.consumed`, `.leased` while somebody holds it, or `.exhausted`.
  public func leasing(
    nonce: UInt64,
    client: [UInt8]?,
    until: Timestamp,
    now: Timestamp,
    size: Int64
  ) throws(SlotRefusal) -> DownloadSlot {
    if let lease, !lease.isExpired(at: now) { throw .leased(until: lease.until) }
    return try settled(now: now, size: size).held(nonce: nonce, client: client, until: until)
  }

  /// The same client goes on after a broken connection: takes the slot even from a sender whose lease has not expired.
  ///
  /// A lease that has not expired counts as an attempt whatever its last renewal says, because its sender may have
  /// sent any number of bytes since. Else a client that takes over again and again would be served without end.
  ///
  /// - Throws: `.consumed`, `.leased` when another client holds it, or `.exhausted`.
  public func resuming(
    nonce: UInt64,
    client: [UInt8]?,
    until: Timestamp,
    now: Timestamp,
    size: Int64
  ) throws(SlotRefusal) -> DownloadSlot {
    guard let lease, !lease.isExpired(at: now) else {
      return try leasing(nonce: nonce, client: client, until: until, now: now, size: size)
    }
    if client == nil || client != self.client { throw .leased(until: lease.until) }
    var slot = charging(bytes: lease.bytesSent, attempts: 1)
    slot.phase = .free
    return try slot.settled(now: now, size: size).held(nonce: nonce, client: client, until: until)
  }

  /// The holder is alive: a later end, and the bytes sent so far under this lease. Never shortens the lease.
  ///
  /// A slot which this nonce has consumed is returned as it is: a renewal that was under way then is not a lost lease.
  ///
  /// Programs that use several connections take the lease of one over by the next. As long as the slot is with the same
  /// client all of them keep it for it, whichever has the lease; `completing` says who may finish.
  ///
  /// - Parameter client: salted hash of the client that the sender shares the slot with; `nil` for nobody: see `sharing`.
  /// - Throws: `.leaseLost` or `.consumed`.
  public func renewing(
    nonce: UInt64,
    client: [UInt8]? = nil,
    until: Timestamp,
    bytesSent: Int64,
    now: Timestamp
  ) throws(SlotRefusal) -> DownloadSlot {
    if isConsumed, consumedBy == nonce { return self }
    let isSameClient = client != nil && client == self.client
    if isSameClient, phase == .free { return held(nonce: nonce, client: client, until: max(until, now)) }
    if isSameClient, isConsumed { return self }
    guard var lease = isSameClient ? self.lease : try heldLease(nonce) else { throw .leaseLost }
    lease.until = max(lease.until, until, now)
    if lease.nonce == nonce { lease.bytesSent = max(lease.bytesSent, bytesSent) }
    var slot = self
    slot.phase = .leased(lease)
    return slot
  }

  /// A sender has sent all but the last chunk, and only after this is stored it sends the rest: it spends the download, or
  /// the same client has spent it a moment ago.
  ///
  /// Of several requests of one client, whichever comes first spends it, although another one may have the lease; for the
  /// others what they lack is as `SlotChoice` grants it to a client that asks for pieces of what it has spent.
  ///
  /// - Parameters:
  ///   - client: salted hash of the client that the sender shares the slot with; `nil` for nobody (see `sharing`): then only
  ///     the holder of the lease completes.
  ///   - bytesSent: all bytes of this delivery, the last chunk included.
  ///   - size: bytes of the upload, for the budget.
  ///   - resumeSeconds: for how long a consumed slot can be resumed.
  /// - Throws: `.leaseLost` or `.consumed`; the delivery must not be completed then.
  public func completing(
    nonce: UInt64,
    client: [UInt8]?,
    bytesSent: Int64,
    size: Int64,
    resumeSeconds: Int64,
    now: Timestamp
  ) throws(SlotRefusal) -> DownloadSlot {
    guard client != nil, client == self.client, lease?.nonce != nonce, consumedBy != nonce else {
      return try consuming(nonce: nonce, bytesSent: bytesSent, now: now)
    }
    if case .consumed(let time) = phase {
      guard isResumable(since: time, bytes: bytesSent, size: size, resumeSeconds: resumeSeconds, now: now) else {
        throw .consumed
      }
      // The takeover was charged as an attempt: asking again, after a lost answer, costs nothing.
      return self
    }
    guard !isExhausted(size: size) else { throw .leaseLost }
    var slot = charging(bytes: max(0, bytesSent).addingSaturated(lease?.bytesSent ?? 0), attempts: 0)
    slot.phase = .consumed(at: now)
    slot.consumedBy = nonce
    return slot
  }

  /// The client whose other requests may finish what this sender began, and the other way round. Two deliveries of the whole
  /// file are two, also to one client: who was replaced by such a one is replaced.
  ///
  /// - Parameters:
  ///   - client: salted hash of the sender's client; `nil` when it is not known.
  ///   - nonce: of the sender's lease.
  ///   - isPiece: the sender sends a piece.
  public func sharing(client: [UInt8]?, nonce: UInt64, isPiece: Bool) -> [UInt8]? {
    isPiece || continues == nonce ? client : nil
  }

  /// Whether a client that has spent this slot may be sent so many more bytes of it.
  ///
  /// - Parameter time: when it was spent.
  func isResumable(since time: Timestamp, bytes: Int64, size: Int64, resumeSeconds: Int64, now: Timestamp) -> Bool {
    now.milliseconds(since: time) < resumeSeconds.multipliedSaturated(by: 1_000)
      && bytesServed.addingSaturated(bytes) <= Self.resumeBudget(size: size)
  }

  /// The holder gives up: the slot is free again at once, or used up if this was one attempt too many.
  ///
  /// - Parameters:
  ///   - bytesSent: all bytes sent under this lease.
  ///   - size: bytes of the upload, for the budget.
  /// - Throws: `.leaseLost` or `.consumed`; nothing is left to do then.
  public func releasing(
    nonce: UInt64,
    bytesSent: Int64,
    now: Timestamp,
    size: Int64
  ) throws(SlotRefusal) -> DownloadSlot {
    let lease = try heldLease(nonce)
    return charging(max(lease.bytesSent, bytesSent)).freed(now: now, size: size)
  }

  /// The holder has sent all but the last chunk, and spends the download. Only who has stored the result sends the rest.
  ///
  /// A slot which this nonce has consumed already is returned as it is: so a sender that lost the answer reads the slot
  /// again and calls this again.
  ///
  /// - Parameter bytesSent: all bytes of this delivery, the last chunk included.
  /// - Throws: `.leaseLost` or `.consumed`; the delivery must not be completed then.
  public func consuming(nonce: UInt64, bytesSent: Int64, now: Timestamp) throws(SlotRefusal) -> DownloadSlot {
    if isConsumed, consumedBy == nonce { return self }
    let lease = try heldLease(nonce)
    var slot = charging(bytes: max(lease.bytesSent, bytesSent), attempts: 0)
    slot.phase = .consumed(at: now)
    slot.consumedBy = nonce
    return slot
  }

  /// Charges a piece before it is sent: a delivery that does not reach the last byte, or that continues one which is
  /// spent. Pieces cost their bytes and are no attempts. The phase stays: what is not sent is refunded.
  ///
  /// - Parameter bytes: length of the piece, and what it pays for the next ones.
  public func chargingPiece(bytes: Int64) -> DownloadSlot {
    var slot = self
    slot.bytesServed = bytesServed.addingSaturated(max(0, bytes))
    return slot
  }

  /// A piece has ended: takes back what was not sent. A free slot that is over its limits then is used up.
  ///
  /// - Parameters:
  ///   - charged: what `chargingPiece` was told.
  ///   - sent: bytes that were sent, at most `charged`.
  ///   - size: bytes of the upload, for the budget.
  public func endingPiece(charged: Int64, sent: Int64, now: Timestamp, size: Int64) -> DownloadSlot {
    var slot = self
    let sent = min(max(0, sent), max(0, charged))
    slot.bytesServed = max(0, bytesServed - (max(0, charged) - sent))
    slot.pending = max(0, pending - max(0, charged))
    return slot.phase == .free ? slot.freed(now: now, size: size) : slot
  }

  /// What the slot is at this time, for views and for requests: a lease that has expired is over, and a slot
  /// that nobody holds is used up when it is over its limits.
  public func settled(size: Int64, now: Timestamp) -> DownloadSlot {
    switch phase {
    case .consumed: self
    case .free: freed(now: now, size: size)
    case .leased(let lease): lease.isExpired(at: now) ? charging(lease.bytesSent).freed(now: now, size: size) : self
    }
  }

  // MARK: Parts of transitions

  /// The slot ready to be leased.
  private func settled(now: Timestamp, size: Int64) throws(SlotRefusal) -> DownloadSlot {
    if isConsumed { throw .consumed }
    let slot = settled(size: size, now: now)
    if slot.isConsumed { throw .exhausted(slot) }
    // Pieces are on their way: they use the slot up, or give some of it back.
    if slot.isExhausted(size: size) { throw .leased(until: now) }
    return slot
  }

  private func held(nonce: UInt64, client: [UInt8]?, until: Timestamp) -> DownloadSlot {
    var slot = self
    slot.phase = .leased(Lease(nonce: nonce, until: until))
    slot.client = client
    return slot
  }

  private func freed(now: Timestamp, size: Int64) -> DownloadSlot {
    var slot = self
    slot.phase = isUsedUp(size: size) ? .consumed(at: now) : .free
    return slot
  }

  private func heldLease(_ nonce: UInt64) throws(SlotRefusal) -> Lease {
    if isConsumed { throw .consumed }
    guard let lease, lease.nonce == nonce else { throw .leaseLost }
    return lease
  }

  private func charging(_ bytes: Int64) -> DownloadSlot {
    charging(bytes: bytes, attempts: Self.attempts(of: bytes))
  }

  private func charging(bytes: Int64, attempts: Int) -> DownloadSlot {
    var slot = self
    slot.bytesServed = bytesServed.addingSaturated(max(0, bytes))
    slot.attempts += attempts
    return slot
  }

  private static func attempts(of bytes: Int64) -> Int {
    bytes >= attemptThreshold ? 1 : 0
  }
}
