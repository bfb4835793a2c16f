import Logging
import R2Client
import UploadCore

/// The download ledger of a cluster: one small object per slot (`c/<id>/<n>`), changed only by conditional writes.
///
/// The bucket alone says who holds a slot, whatever nodes crash or pause: every decision is `UploadCore`'s, made on what
/// was read, and stored only if that is there still. What a node remembers saves requests and decides nothing but what is
/// final: memory may propose a slot, because the store will refuse a stale proposal; only the store says no.
///
/// A write whose answer is lost is read back, and known again by its mark.
package struct R2DownloadLedger: DownloadLedger {
  /// Told when every slot of an upload is consumed, and since when. May be told more than once, and by several nodes.
  package typealias OnConsumed = @Sendable (UploadID, Timestamp) async throws -> Void

  let claims: ClaimStore
  let memory = ClaimMemory()
  let pieces = PieceAccounts()
  let deliveries = DeliveryMemory()
  let leaseSeconds: Int64
  let resumeSeconds: Int64
  package let patience: ClaimPatience
  let pace: WritePace
  let logger: Logger
  let onConsumed: OnConsumed

  /// How often a call decides anew because others were faster.
  static let rounds = 16

  package init(
    client: R2Client, leaseSeconds: Int64, resumeSeconds: Int64, patience: ClaimPatience = ClaimPatience(),
    pace: WritePace = WritePace(), logger: Logger, onConsumed: @escaping OnConsumed
  ) {
    claims = ClaimStore(client: client)
    self.leaseSeconds = leaseSeconds
    self.resumeSeconds = resumeSeconds
    self.patience = patience
    self.pace = pace
    self.logger = logger
    self.onConsumed = onConsumed
  }

  package func begin(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision {
    let decision =
      try await request.includesLastByte
      ? begin(record, request, now: now, consumes: false) : beginPiece(record, request, now: now)
    deliveries.begin(decision, record.id, request)
    return decision
  }

  package func beginAndConsume(
    _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp
  ) async throws -> LeaseDecision {
    let decision = try await begin(record, request, now: now, consumes: true)
    deliveries.begin(decision, record.id, request)
    if case .lease(let slot, _) = decision {
      deliveries.spend(record.id, slot.number, bytes: request.length, of: record.size)
    }
    return decision
  }

  package func renew(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    let until = now.adding(seconds: leaseSeconds)
    return try await change(holder) { slot throws(SlotRefusal) in
      try slot.renewing(
        nonce: holder.nonce, client: holder.sharing(slot), until: until, bytesSent: bytesSent, now: now)
    } != nil
  }

  package func release(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws {
    let slot = try await change(holder) { slot throws(SlotRefusal) in
      try slot.releasing(nonce: holder.nonce, bytesSent: bytesSent, now: now, size: holder.size)
    }
    if slot?.isConsumed == true { await noteConsumption(holder.id) }
  }

  package func awaitTurn(_ holder: SlotHolder) async throws {
    try await awaitTurn(holder.id, holder.slot)
  }

  package func consume(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    let slot = try await change(holder) { slot throws(SlotRefusal) in
      try slot.completing(
        nonce: holder.nonce, client: holder.sharing(slot), bytesSent: bytesSent,
        size: holder.size, resumeSeconds: resumeSeconds, now: now)
    }
    guard let slot else { return false }
    if slot.consumedBy == holder.nonce {
      deliveries.spend(holder.id, holder.slot, bytes: bytesSent, of: holder.size)
    }
    // It is ours for certain now; what follows must not take that back.
    if slot.isConsumed { await noteConsumption(holder.id) }
    return true
  }

  // MARK: Views

  /// The slots that this process remembers, without asking. Those that are consumed are so for ever; the others are what
  /// was seen last.
  package func knownSlots(_ id: UploadID) -> [DownloadSlot] {
    deliveries.mark(ClaimView(claims: memory.claims(id), isFresh: false).slots, of: id)
  }

  /// The slots that somebody has touched, as the bucket has them.
  package func slots(_ id: UploadID, limit: DownloadLimit) async throws -> [DownloadSlot] {
    deliveries.mark(try await look(id, limit).slots, of: id)
  }

  /// Says that an upload is gone; from now on nobody gets a slot of it here, nor elsewhere once the tombstone is seen.
  package func bury(_ id: UploadID, _ tombstone: Tombstone) async throws {
    try await claims.bury(id, tombstone)
    memory.rememberGone(id)
  }

  /// Why an upload is gone before its time; nil when it is not. Asks the bucket.
  package func tombstone(_ id: UploadID) async throws -> Tombstone? {
    let tombstone = try await claims.tombstone(id)
    if tombstone != nil { memory.rememberGone(id) }
    return tombstone
  }
}
