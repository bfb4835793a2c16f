import FoundationEssentials
import GRDB
import UploadCore

/// The download ledger of a single machine: each decision is one transaction, so a compare-and-set is a read and a write.
package struct SQLiteDownloadLedger: DownloadLedger {
  private let database: IndexDatabase
  private let deliveries: DeliveryMemory
  private let leaseSeconds: Int64
  private let resumeSeconds: Int64

  package init(index: UploadIndex, leaseSeconds: Int64, resumeSeconds: Int64) {
    database = index.database
    deliveries = index.deliveries
    self.leaseSeconds = leaseSeconds
    self.resumeSeconds = resumeSeconds
  }

  package func begin(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision {
    try await begin("begin", record, request, now: now, consumes: false)
  }

  package func beginAndConsume(
    _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp
  ) async throws -> LeaseDecision {
    try await begin("beginAndConsume", record, request, now: now, consumes: true)
  }

  package func renew(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    let until = now.adding(seconds: leaseSeconds)
    return try await change("renew", holder) { slot throws(SlotRefusal) in
      try slot.renewing(
        nonce: holder.nonce, client: holder.sharing(slot), until: until, bytesSent: bytesSent, now: now)
    }
  }

  package func release(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws {
    _ = try await change("release", holder, consumedAt: now) { slot throws(SlotRefusal) in
      try slot.releasing(nonce: holder.nonce, bytesSent: bytesSent, now: now, size: holder.size)
    }
  }

  package func consume(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    let resume = resumeSeconds
    let isComplete = try await change("consume", holder, consumedAt: now) { slot throws(SlotRefusal) in
      try slot.completing(
        nonce: holder.nonce, client: holder.sharing(slot), bytesSent: bytesSent,
        size: holder.size, resumeSeconds: resume, now: now)
    }
    if isComplete { deliveries.spend(holder.id, holder.slot, bytes: bytesSent, of: holder.size) }
    return isComplete
  }

  package func endPiece(_ holder: SlotHolder, charged: Int64, sent: Int64, now: Timestamp) async throws {
    // On its way until its refund is stored: in between the slot would look used up.
    defer { deliveries.end(holder, charged: charged) }
    guard sent < charged || holder.isUsedUp else { return }
    _ = try await change("endPiece", holder, consumedAt: now) { slot throws(SlotRefusal) in
      slot.endingPiece(charged: charged, sent: sent, now: now, size: holder.size)
    }
  }

  private func begin(
    _ name: String, _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp, consumes: Bool
  ) async throws -> LeaseDecision {
    guard let limit = record.maxDownloads else { return .gone }
    let nonce = UInt64.random(in: 1...UInt64(Int64.max))
    let (lease, resume, deliveries) = (leaseSeconds, resumeSeconds, deliveries)
    let decision = try await database.write(name) { db in
      // Deleted or blocked since the caller looked?
      let state = try String.fetchOne(
        db.cachedStatement(sql: "SELECT state FROM upload WHERE id = ?"), arguments: [record.id.description])
      guard state == UploadState.available.rawValue || state == UploadState.consumed.rawValue else {
        return LeaseDecision.gone
      }
      let slots = deliveries.mark(try UploadIndex.slots(record.id, db), of: record.id)
      let decision = SlotChoice.decide(
        slots: slots, limit: limit, request: request, nonce: nonce, leaseSeconds: lease, resumeSeconds: resume, now: now
      )
      deliveries.willLease(decision, of: record.id, over: slots)
      switch decision {
      case .lease(let slot, let resumed):
        let kept = consumes ? try slot.consuming(nonce: nonce, bytesSent: request.length, now: now) : slot
        try Self.store(kept, of: record.id, db)
        if consumes { try Self.noteConsumed(record.id, limit, at: now, resumeSeconds: resume, db) }
        return .lease(slot: slot, resumed: resumed)
      case .part(let slot, _), .resumeConsumed(let slot, _):
        try Self.store(slot, of: record.id, db)
      case .gone:
        for slot in SlotChoice.usedUp(slots: slots, limit: limit, size: record.size, now: now) {
          try Self.store(slot, of: record.id, db)
        }
        try Self.noteConsumed(record.id, limit, at: now, resumeSeconds: resume, db)
      case .locked:
        break
      }
      return decision
    }
    deliveries.begin(decision, record.id, request)
    if consumes, case .lease(let slot, _) = decision {
      deliveries.spend(record.id, slot.number, bytes: request.length, of: record.size)
    }
    return decision
  }

  /// - Returns: false when the transition was refused: the slot belongs to somebody else.
  private func change(
    _ name: String, _ holder: SlotHolder, consumedAt: Timestamp? = nil,
    _ transition: @escaping SlotTransition
  ) async throws -> Bool {
    let (resume, deliveries) = (resumeSeconds, deliveries)
    return try await database.write(name) { db in
      let slots = deliveries.mark(try UploadIndex.slots(holder.id, db), of: holder.id)
      guard let slot = slots.first(where: { $0.number == holder.slot }) else { return false }
      let changed: DownloadSlot
      do throws(SlotRefusal) {
        changed = try transition(slot)
      } catch {
        return false
      }
      try Self.store(changed, of: holder.id, db)
      if let consumedAt, changed.isConsumed {
        let count = try Int.fetchOne(
          db.cachedStatement(sql: "SELECT max_downloads FROM upload WHERE id = ?"), arguments: [holder.id.description])
        if let limit = count.flatMap({ DownloadLimit($0) }) {
          try Self.noteConsumed(holder.id, limit, at: consumedAt, resumeSeconds: resume, db)
        }
      }
      return true
    }
  }

  /// When every slot is consumed the upload is, and its bytes are due once nobody can resume any more.
  private static func noteConsumed(
    _ id: UploadID, _ limit: DownloadLimit, at now: Timestamp, resumeSeconds: Int64, _ db: Database
  ) throws {
    try db.cachedStatement(
      sql: """
        UPDATE upload SET state = 'consumed', blob_due = min(blob_due, ?)
        WHERE id = ? AND state = 'available'
          AND (SELECT count(*) FROM slot WHERE upload_id = upload.id AND consumed_at IS NOT NULL) >= ?
        """
    ).execute(arguments: [now.adding(seconds: resumeSeconds).milliseconds, id.description, limit.count])
  }

  private static func store(_ slot: DownloadSlot, of id: UploadID, _ db: Database) throws {
    var lease: Lease?
    var consumedAt: Timestamp?
    switch slot.phase {
    case .free: break
    case .leased(let current): lease = current
    case .consumed(let at): consumedAt = at
    }
    try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO slot
          (upload_id, number, nonce, lease_until, lease_bytes, consumed_at, consumed_by, client, bytes_served, attempts)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id.description, slot.number, lease.map { Int64(bitPattern: $0.nonce) }, lease?.until.milliseconds,
      lease?.bytesSent ?? 0, consumedAt?.milliseconds,
      slot.consumedBy.map { Int64(bitPattern: $0) }, slot.client.map { Data($0) }, slot.bytesServed, slot.attempts,
    ])
  }
}

/// A pure change of one slot, refused when the slot belongs to somebody else.
private typealias SlotTransition = @Sendable (DownloadSlot) throws(SlotRefusal) -> DownloadSlot

extension DownloadSlot {
  /// A row of `UploadIndex.slots`.
  init(row: Row) {
    let phase: SlotPhase =
      if let at = row[4] as Int64? {
        .consumed(at: Timestamp(milliseconds: at))
      } else if let nonce = row[1] as Int64?, let until = row[2] as Int64? {
        .leased(Lease(nonce: UInt64(bitPattern: nonce), until: Timestamp(milliseconds: until), bytesSent: row[3]))
      } else {
        .free
      }
    self.init(
      number: row[0], phase: phase, client: (row[5] as Data?).map { [UInt8]($0) }, bytesServed: row[6],
      attempts: row[7],
      consumedBy: (row[8] as Int64?).map { UInt64(bitPattern: $0) })
  }
}
