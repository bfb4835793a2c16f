import FoundationEssentials
import GRDB
import NIOCore

/// The index cannot be used; says what is wrong and what to do, in one line.
package struct IndexFailure: Error, CustomStringConvertible {
  package var description: String

  init(description: String) {
    self.description = description
  }

  /// - Parameter path: of the index.
  init(_ error: DatabaseError, _ path: String) {
    description =
      switch error.resultCode {
      case .SQLITE_CORRUPT, .SQLITE_NOTADB:
        "the index \(path) is damaged (\(error.message ?? "no reason given")): stop the service, move the file and its -wal and -shm aside, "
          + "recover with: sqlite3 OLD .recover | sqlite3 \(path) - or start with a new index; files without a row are removed when they expire"
      case .SQLITE_BUSY, .SQLITE_LOCKED:
        "the index \(path) is locked by another process: end that process (fuser \(path) names it), then start again"
      case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
        "the index \(path) cannot be written (\(error.message ?? "\(error.resultCode)")): make the file and its folder writable for this user (chown, chmod, mount -o remount,rw), then start again"
      case .SQLITE_FULL:
        "the disk of the index \(path) is full: free some space, then start again"
      case .SQLITE_IOERR:
        "the disk of the index \(path) reports errors (\(error.message ?? ""), SQLite code \(error.extendedResultCode.rawValue)): check the disk and dmesg, then start again"
      default:
        "the index \(path) cannot be used: \(error)"
      }
  }
}

extension UploadIndex {
  /// Above this the integrity check at start is left out: it reads the whole file.
  private static let largestCheckedFile = 256 * 1024 * 1024

  static func path(in dataDirectory: String) -> String {
    dataDirectory + "/index.sqlite"
  }

  /// Opens the index under a data directory, creates or upgrades its schema, and checks that it is sound.
  ///
  /// - Parameters:
  ///   - checksIntegrity: read the whole file once; `serve` does at start, a cleanup that must cost O(expired) does not.
  ///   - loops: the event loops, when the directory is in memory: commits wait for no disk there.
  ///   - beforeCall: told the name of every call; tests let the Nth one fail.
  package static func open(
    dataDirectory: String, checksIntegrity: Bool = true, loops: (any EventLoopGroup)? = nil,
    beforeCall: @escaping @Sendable (String) throws -> Void = { _ in }
  ) throws(IndexFailure) -> UploadIndex {
    let path = Self.path(in: dataDirectory)
    var configuration = Configuration()
    configuration.label = "index"
    configuration.maximumReaderCount = 2
    // A cleanup or an operator's sqlite3 may hold the lock for a moment.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      // A page is copied into the file once for many commits: 16 MiB of them.
      try db.execute(sql: "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000")
    }
    do {
      let pool = try DatabasePool(path: path, configuration: configuration)
      // The pool makes it NORMAL, after `prepareDatabase`: a power cut would take back the last commits, and with them
      // uploads that have been acknowledged and downloads that are spent.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      if checksIntegrity { try checkIntegrity(pool) }
      try DatabaseMigrator.uploadIndex.migrate(pool)
      // A read-only file opens without a complaint: ask it to write.
      try pool.write { try $0.execute(sql: "UPDATE storage SET bytes = bytes") }
      let unpublished = UnpublishedUploads()
      let database = IndexDatabase(pool: pool, loops: loops, beforeCall: beforeCall, beforeCommit: unpublished.record)
      return UploadIndex(database: database, unpublished: unpublished)
    } catch let failure as IndexFailure {
      throw failure
    } catch let error as DatabaseError {
      throw IndexFailure(error, path)
    } catch {
      throw IndexFailure(description: "the index \(path) cannot be opened: \(error)")
    }
  }

  private static func checkIntegrity(_ pool: DatabasePool) throws {
    try pool.read { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
      guard pages * pageSize <= largestCheckedFile else { return }
      let result = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "ok"
      if result != "ok" { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: result) }
    }
  }

  /// The salt of the client hashes, made once with the index.
  package func clientSalt() async throws -> [UInt8] {
    try await database.read("clientSalt") { db in
      try Data.fetchOne(db, sql: "SELECT value FROM secret WHERE name = 'client-salt'").map { [UInt8]($0) } ?? []
    }
  }
}
