import FoundationEssentials
import GRDB
import Logging
import Synchronization
import UploadCore

/// The uploads of this node, in SQLite: on a single machine the truth, with the slots of the download ledger beside them.
///
/// Only named transactions leave this file; each keeps the schema's invariants. A row is written before its bytes are
/// published and removed after they are gone, so bytes without a row cannot be.
package final class UploadIndex: UploadCatalog {
  let database: IndexDatabase
  private let cache = EntryCache()
  private let unpublished: UnpublishedUploads
  let deliveries = DeliveryMemory()

  /// Bytes that have to leave the store.
  package struct DueBlob: Sendable, Hashable {
    package var row: CleanupRow
    package var size: Int64
  }

  init(database: IndexDatabase, unpublished: UnpublishedUploads) {
    self.database = database
    self.unpublished = unpublished
  }

  package func close() throws {
    try database.close()
  }

  /// Adds a finished upload, before its bytes are published. Durable when it returns.
  package func insert(_ record: UploadRecord) async throws {
    var failed = true
    defer { if failed { unpublished.remove(record.id) } }
    try await database.write("insert") { [unpublished] db in
      try db.cachedStatement(
        sql: """
          INSERT INTO upload (id, name, content_type, size, sha256, created_at, expires_at, max_downloads, delete_token_hash, state, blob_due)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'available', ?)
          """
      ).execute(arguments: [
        record.id.description, record.name?.value, record.contentType, record.size, Data(record.sha256),
        record.createdAt.milliseconds, record.expiresAt.milliseconds, record.maxDownloads?.count,
        Data(record.deleteTokenHash), record.expiresAt.milliseconds,
      ])
      unpublished.insert(record.id)
    }
    failed = false
  }

  /// The bytes of an upload have got their name.
  package func confirmPublished(_ id: UploadID) {
    unpublished.remove(id)
  }

  /// Uploads of a process that has died between `insert` and `confirmPublished`: they may have no bytes.
  package func unconfirmed() async throws -> [UploadID] {
    try await database.read("unconfirmed") { db in try UnpublishedUploads.recorded(db) }
  }

  /// The uploads of `unconfirmed` have been looked at.
  package func forgetUnconfirmed() async throws {
    try await database.write("forgetUnconfirmed") { db in try UnpublishedUploads.clear(db) }
  }

  /// Takes back an `insert` whose bytes could not be published.
  package func remove(_ id: UploadID) async throws {
    defer {
      cache.forget(id)
      unpublished.remove(id)
    }
    try await database.write("remove") { db in
      try db.cachedStatement(sql: "DELETE FROM upload WHERE id = ?").execute(arguments: [id.description])
    }
  }

  /// The upload with this id, whatever its state; nil when there has been none.
  package func entry(_ id: UploadID, exact: Bool = true) async throws -> UploadEntry? {
    if let known = cache.entry(id) { return known }
    guard var entry = try await database.read("entry", { db in try Self.entry(id, db) }) else { return nil }
    cache.remember(entry)
    entry.slots = deliveries.mark(entry.slots, of: id)
    return entry
  }

  /// Everybody asks this index.
  package var isMarkFinal: Bool { true }

  /// Marks an upload as deleted and its bytes as due; nothing happens to one that has no bytes.
  ///
  /// - Returns: whether it was available.
  package func markDeleted(_ id: UploadID, now: Timestamp) async throws -> Bool {
    defer { cache.forget(id) }
    return try await database.write("markDeleted") { db in
      try db.cachedStatement(
        sql: "UPDATE upload SET state = 'deleted', blob_due = min(blob_due, ?) WHERE id = ? AND state = 'available'"
      )
      .execute(arguments: [now.milliseconds, id.description])
      return db.changesCount > 0
    }
  }

  package func isWithdrawn(_ id: UploadID) async throws -> Bool {
    let state = try await database.read("isWithdrawn") { db in
      try String.fetchOne(
        db.cachedStatement(sql: "SELECT state FROM upload WHERE id = ?"), arguments: [id.description])
    }
    return state == UploadState.deleted.rawValue || state == UploadState.blocked.rawValue
  }

  package func check() async throws {
    _ = try await storedBytes()
  }

  /// The bytes of all uploads that have not left the store.
  package func storedBytes() async throws -> Int64 {
    try await database.read("storedBytes") { db in
      try Int64.fetchOne(db.cachedStatement(sql: "SELECT bytes FROM storage")) ?? 0
    }
  }

  /// Bytes that are due at `now`. Reads only ids that have expired and the index of those that ended earlier: O(due).
  package func dueBlobs(now: Timestamp, limit: Int) async throws -> [DueBlob] {
    try await database.read("dueBlobs") { db in
      try Row.fetchAll(db.cachedStatement(sql: Self.dueBlobsSQL), arguments: Self.dueArguments(now) + [limit])
        .compactMap {
          row in
          guard let id = UploadID(row[0] as String) else { return nil }
          let phase: CleanupRow.Phase =
            switch UploadState(rawValue: row[2]) {
            // The time for resuming is part of the due time already.
            case .consumed: .consumed(at: Timestamp(milliseconds: row[3]))
            case .deleted: .deleted
            case .blocked: .blocked
            default: .stored
            }
          return DueBlob(row: CleanupRow(id: id, phase: phase), size: row[1])
        }
    }
  }

  /// Count and size of the bytes that are due at `now`.
  package func dueTotal(now: Timestamp) async throws -> (count: Int, bytes: Int64) {
    try await database.read("dueTotal") { db in
      let sql = "SELECT count(*), coalesce(sum(size), 0) FROM (\(Self.dueSQL))"
      let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: Self.dueArguments(now))
      return (row?[0] ?? 0, row?[1] ?? 0)
    }
  }

  package static let dueBlobsSQL = dueSQL + " LIMIT ?"
  private static let dueSQL = """
    SELECT id, size, state, blob_due FROM upload WHERE id < ?1 AND blob_due IS NOT NULL
    UNION ALL
    SELECT id, size, state, blob_due FROM upload
      WHERE state <> 'available' AND blob_due IS NOT NULL AND blob_due <= ?2 AND id >= ?1
    """

  /// The id that the first second after `now` begins with, and `now`.
  package static func dueArguments(_ now: Timestamp) -> StatementArguments {
    [UploadID.firstKey(expiringAt: Timestamp(seconds: now.seconds + 1)), now.milliseconds]
  }

  /// A download that goes on keeps its row: without it the last chunk could not be sent.
  package static let forgetSQL = """
    DELETE FROM upload WHERE id IN (
      SELECT id FROM upload WHERE id < ? AND blob_due IS NULL
        AND NOT EXISTS (SELECT 1 FROM slot WHERE upload_id = upload.id AND lease_until > ?)
      LIMIT ?)
    """

  /// The bytes of these uploads have left the store.
  package func markGone(_ ids: [UploadID]) async throws {
    try await database.write("markGone") { db in
      let statement = try db.cachedStatement(sql: "UPDATE upload SET blob_due = NULL WHERE id = ?")
      for id in ids { try statement.execute(arguments: [id.description]) }
    }
  }

  /// Removes the rows of uploads that have expired and whose bytes are gone: the id itself tells from now on (410).
  ///
  /// - Returns: how many; less than `limit` when there are no more.
  package func forget(before now: Timestamp, limit: Int) async throws -> Int {
    let bound = UploadID.firstKey(expiringAt: now)
    return try await database.write("forget") { db in
      try db.cachedStatement(sql: Self.forgetSQL).execute(arguments: [bound, now.milliseconds, limit])
      return db.changesCount
    }
  }

  /// How many rows have expired.
  package func expiredCount(before now: Timestamp) async throws -> Int {
    let bound = UploadID.firstKey(expiringAt: now)
    return try await database.read("expiredCount") { db in
      try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM upload WHERE id < ?"), arguments: [bound]) ?? 0
    }
  }

  /// How SQLite would run a statement of this file; tests assert that nothing scans the table.
  package func queryPlan(_ sql: String, _ arguments: StatementArguments) async throws -> [String] {
    try await database.read("queryPlan") { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: arguments).map { $0["detail"] }
    }
  }

  static func entry(_ id: UploadID, _ db: Database) throws -> UploadEntry? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT name, content_type, size, sha256, created_at, max_downloads, delete_token_hash, state FROM upload WHERE id = ?
        """)
    guard let row = try Row.fetchOne(statement, arguments: [id.description]) else { return nil }
    let record = UploadRecord(
      id: id, name: (row[0] as String?).flatMap { try? FileName($0) }, contentType: row[1], size: row[2],
      sha256: [UInt8](row[3] as Data), createdAt: Timestamp(milliseconds: row[4]),
      maxDownloads: (row[5] as Int?).flatMap { DownloadLimit($0) }, deleteTokenHash: [UInt8](row[6] as Data))
    let slots = record.isCounted ? try Self.slots(id, db) : []
    return UploadEntry(record: record, state: UploadState(rawValue: row[7]) ?? .deleted, slots: slots)
  }

  static func slots(_ id: UploadID, _ db: Database) throws -> [DownloadSlot] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT number, nonce, lease_until, lease_bytes, consumed_at, client, bytes_served, attempts, consumed_by
        FROM slot WHERE upload_id = ? ORDER BY number
        """)
    return try Row.fetchAll(statement, arguments: [id.description]).map { DownloadSlot(row: $0) }
  }
}
