import R2Client
import UploadCore

// One change of one claim, by compare-and-set, until its outcome is known.
extension R2DownloadLedger {
  /// A pure change of one slot, refused when the slot belongs to somebody else.
  typealias Transition = @Sendable (DownloadSlot) throws(SlotRefusal) -> DownloadSlot

  /// What has become of a claim that was to be stored.
  enum Settlement {
    case stored
    /// Not stored: another one is there, or none. `isAmbiguous`: ours may have been there in between.
    case changed(StoredClaim?, isAmbiguous: Bool)
  }

  /// Changes the slot of a holder.
  ///
  /// - Parameter isRepeatable: whether the transition may be made again when it may have been made before; those that ask
  ///   for the holder's nonce may.
  /// - Returns: the slot as it is stored; nil when the transition was refused.
  func change(_ holder: SlotHolder, isRepeatable: Bool = true, _ transition: Transition) async throws -> DownloadSlot? {
    let mark = Self.random()
    var pauses = ClaimPatience.Pauses(patience)
    var base = memory.claim(holder.id, holder.slot)
    var isRead = false
    for _ in 0..<Self.rounds {
      if base == nil, !isRead {
        base = try await read(holder.id, holder.slot)
        isRead = true
      }
      // Claims go only after their upload: nothing must bring one back.
      guard let current = base else { return nil }
      let changed: DownloadSlot
      do throws(SlotRefusal) {
        var slot = deliveries.mark([current.claim.slot], of: holder.id)[0]
        slot = try transition(slot)
        // None of these is stored.
        slot.pending = 0
        slot.isSpentWhole = false
        slot.continues = nil
        changed = slot
      } catch {
        // Memory may be behind, so it does not refuse.
        if isRead { return nil }
        base = nil
        continue
      }
      if changed == current.claim.slot, isRead || changed.isConsumed { return changed }
      let claim = Claim(slot: changed, mark: mark)
      switch try await settle(claim, of: holder.id, over: current.eTag, &pauses, isHolder: true) {
      case .stored: return changed
      case .changed(let stored, let isAmbiguous):
        if isAmbiguous, !isRepeatable { return nil }
        base = stored
        isRead = true
      }
    }
    throw Self.busy
  }

  /// Writes a claim until it is known whether it is stored.
  ///
  /// An attempt of unknown outcome may take effect late. So the same bytes are written over the same base again, until
  /// they are there or the base is not: either way the late one cannot do any harm.
  ///
  /// - Parameter isHolder: nobody else is expected to write this key, so a store that wants fewer writes means ours.
  func settle(
    _ claim: Claim, of id: UploadID, over base: S3ETag?, _ pauses: inout ClaimPatience.Pauses, isHolder: Bool
  ) async throws -> Settlement {
    let number = claim.slot.number
    var isAmbiguous = false
    // Who writes sooner is refused, and billed.
    try await awaitTurn(id, number)
    while true {
      var failure = Self.busy
      var isThrottled = false
      // Asked before the write: its refusal may take longer than the interval to come back.
      let isSoon = untilNextWrite(id, number) != nil
      switch try await claims.write(claim, of: id, over: base) {
      case .written(let eTag):
        memory.remember(StoredClaim(claim: claim, eTag: eTag), of: id, isWritten: true)
        return .stored
      case .conflict: break
      case .throttled:
        isThrottled = true
        isAmbiguous = true
        if isSoon { pace.noteLimit() }
      case .unknown(let error):
        failure = error
        isAmbiguous = true
      }
      if !(isThrottled && isHolder) {
        let stored = try await read(id, number)
        if stored?.claim.mark == claim.mark { return .stored }
        if stored?.eTag != base { return .changed(stored, isAmbiguous: isAmbiguous) }
      }
      // The base is there still.
      let sinceWrite = isThrottled ? memory.sinceWrite(id, number) : nil
      guard try await pauses.pause(sinceWrite: sinceWrite) else { throw failure }
    }
  }

  /// Waits until the store takes another write of the claim: a second at most, and only for a download that is faster.
  func awaitTurn(_ id: UploadID, _ number: Int) async throws {
    guard pace.isLimited, let rest = untilNextWrite(id, number) else { return }
    try await patience.sleep(rest + patience.writeInterval * 0.05 * patience.jitter())
  }

  /// How long this process has to wait after its last write of the claim; nil: no longer.
  private func untilNextWrite(_ id: UploadID, _ number: Int) -> Duration? {
    guard let since = memory.sinceWrite(id, number), since < patience.writeInterval else { return nil }
    return patience.writeInterval - since
  }

  func read(_ id: UploadID, _ number: Int) async throws -> StoredClaim? {
    let stored = try await claims.read(id, slot: number)
    if let stored { memory.remember(stored, of: id) }
    return stored
  }

  /// Positive, and not 0, which stands for nobody.
  static func random() -> UInt64 {
    UInt64.random(in: 1...UInt64(Int64.max))
  }

  static var busy: StoreError {
    .unavailable(reason: "too many requests for one download at the same time", retryAfter: 1)
  }
}
