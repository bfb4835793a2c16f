import GRDB
import Synchronization
import UploadCore

/// The uploads whose row is written and whose bytes may not have got their name yet: a crash in between leaves a row
/// without bytes, which the next start finds here.
///
/// All of them are one row of the index, written with every transaction that adds one: a group commit of thirty uploads
/// pays for it once. Those that have been published since are still in it; asking the store tells them apart.
final class UnpublishedUploads: Sendable {
  private struct State {
    var ids: Set<UploadID> = []
    /// There are ids that the row does not have.
    var hasGrown = false
  }

  private let state = Mutex(State())

  func insert(_ id: UploadID) {
    state.withLock {
      $0.ids.insert(id)
      $0.hasGrown = true
    }
  }

  func remove(_ id: UploadID) {
    state.withLock { _ = $0.ids.remove(id) }
  }

  /// Called at the end of every transaction.
  func record(_ db: Database) throws {
    let ids: Set<UploadID>? = state.withLock { state in
      defer { state.hasGrown = false }
      return state.hasGrown ? state.ids : nil
    }
    guard let ids else { return }
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO publication VALUES (1, ?)")
      .execute(arguments: [ids.map(\.description).joined(separator: " ")])
  }

  /// Those of them that the index still takes for available.
  static func recorded(_ db: Database) throws -> [UploadID] {
    let ids = try String.fetchOne(db, sql: "SELECT upload_ids FROM publication")?.split(separator: " ") ?? []
    let statement = try db.cachedStatement(
      sql: "SELECT 1 FROM upload WHERE id = ? AND state = 'available' AND blob_due IS NOT NULL")
    return try ids.compactMap { UploadID($0) }.filter {
      try Row.fetchOne(statement, arguments: [$0.description]) != nil
    }
  }

  static func clear(_ db: Database) throws {
    try db.execute(sql: "DELETE FROM publication")
  }
}
