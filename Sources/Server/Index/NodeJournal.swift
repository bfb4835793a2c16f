import GRDB
import Synchronization
import UploadCore

/// What a node of a cluster has to remember over a crash: deletions that it owes, multipart uploads in flight, and the
/// expiry of objects that do not carry it in their key. The bucket is the truth; this only saves asking it.
package final class NodeJournal: Sendable {
  private let database: IndexDatabase
  /// Multipart uploads of this process that failed and could not be aborted; after a crash they all are.
  private let abandoned = Mutex<Set<String>>([])

  package init(index: UploadIndex) {
    database = index.database
  }

  /// A deletion that is owed.
  package struct Debt: Sendable, Hashable {
    package var id: UploadID
    package var key: String

    package init(id: UploadID, key: String) {
      self.id = id
      self.key = key
    }
  }

  /// Notes that the object of an upload must go at `due`. The earliest time counts.
  package func owe(_ debt: Debt, due: Timestamp) async throws {
    try await database.write("owe") { db in
      try db.cachedStatement(
        sql: """
          INSERT INTO owed_delete VALUES (?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET due = min(due, excluded.due)
          """
      ).execute(arguments: [debt.id.description, debt.key, due.milliseconds])
    }
  }

  /// Deletions that are due, earliest first.
  package func due(now: Timestamp, limit: Int) async throws -> [Debt] {
    try await database.read("due") { db in
      let sql = "SELECT id, key FROM owed_delete WHERE due <= ? ORDER BY due LIMIT ?"
      return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [now.milliseconds, limit]).compactMap { row in
        UploadID(row[0] as String).map { Debt(id: $0, key: row[1]) }
      }
    }
  }

  /// These objects have gone.
  package func settle(_ ids: [UploadID]) async throws {
    guard !ids.isEmpty else { return }
    try await database.write("settle") { db in
      let statement = try db.cachedStatement(sql: "DELETE FROM owed_delete WHERE id = ?")
      for id in ids { try statement.execute(arguments: [id.description]) }
    }
  }

  /// A multipart upload that has been begun.
  package struct Multipart: Sendable, Hashable {
    package var key: String
    package var uploadID: String

    package init(key: String, uploadID: String) {
      self.key = key
      self.uploadID = uploadID
    }
  }

  package func began(_ upload: Multipart) async throws {
    try await database.write("beganMultipart") { db in
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO multipart VALUES (?, ?)")
        .execute(arguments: [upload.uploadID, upload.key])
    }
  }

  package func ended(_ uploadID: String) async throws {
    try await database.write("endedMultipart") { db in
      try db.cachedStatement(sql: "DELETE FROM multipart WHERE upload_id = ?").execute(arguments: [uploadID])
    }
    abandoned.withLock { _ = $0.remove(uploadID) }
  }

  /// Nobody works at this multipart upload any more.
  package func leave(_ uploadID: String) {
    abandoned.withLock { _ = $0.insert(uploadID) }
  }

  /// Those that nobody works at any more.
  package func abandonedMultiparts() async throws -> [Multipart] {
    let abandoned = abandoned.withLock { $0 }
    return abandoned.isEmpty ? [] : try await multiparts().filter { abandoned.contains($0.uploadID) }
  }

  /// All that have been begun and not ended: after a start those that a crash has left.
  package func multiparts() async throws -> [Multipart] {
    try await database.read("multiparts") { db in
      try Row.fetchAll(db, sql: "SELECT key, upload_id FROM multipart").map { Multipart(key: $0[0], uploadID: $0[1]) }
    }
  }

  /// An object of bashupload-r2 or bashupload-go, and when it expires.
  package struct LegacyObject: Sendable, Hashable {
    package var key: String
    package var expiresAt: Timestamp
  }

  package func remember(_ objects: [LegacyObject]) async throws {
    guard !objects.isEmpty else { return }
    try await database.write("rememberLegacy") { db in
      let statement = try db.cachedStatement(sql: "INSERT OR REPLACE INTO legacy_object VALUES (?, ?)")
      for object in objects { try statement.execute(arguments: [object.key, object.expiresAt.milliseconds]) }
    }
  }

  /// Those of `keys` that have not been remembered.
  package func unknown(of keys: [String]) async throws -> [String] {
    try await database.read("unknownLegacy") { db in
      let statement = try db.cachedStatement(sql: "SELECT 1 FROM legacy_object WHERE key = ?")
      return try keys.filter { try Row.fetchOne(statement, arguments: [$0]) == nil }
    }
  }

  /// Keys of objects that have expired.
  package func expiredLegacy(now: Timestamp, limit: Int) async throws -> [String] {
    try await database.read("expiredLegacy") { db in
      let sql = "SELECT key FROM legacy_object WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"
      return try String.fetchAll(db.cachedStatement(sql: sql), arguments: [now.milliseconds, limit])
    }
  }

  package func forgetLegacy(_ keys: [String]) async throws {
    guard !keys.isEmpty else { return }
    try await database.write("forgetLegacy") { db in
      let statement = try db.cachedStatement(sql: "DELETE FROM legacy_object WHERE key = ?")
      for key in keys { try statement.execute(arguments: [key]) }
    }
  }

  /// Forgets everything: the bucket is asked again.
  package func rebuild() async throws {
    try await database.write("rebuild") { db in try db.execute(sql: "DELETE FROM legacy_object") }
  }
}
