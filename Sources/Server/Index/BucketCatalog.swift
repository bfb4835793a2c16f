import Synchronization
import UploadCore

/// The uploads of a cluster: the bucket knows them. An object is an upload, its metadata the record, its claims the
/// downloads; nothing about an upload is kept on the node but what saves asking again.
package final class BucketCatalog: UploadCatalog {
  private let directory: ObjectDirectory
  private let ledger: R2DownloadLedger
  private let claims: ClaimStore
  private let journal: NodeJournal
  /// What is known of uploads without an object. An id is told only when its object is there, so one that nobody knows now
  /// will not be known later; this only bounds the memory.
  private let absent = Mutex<[UploadID: Absence]>([:])
  private static let rememberedAbsences = 10_000

  /// Why there is no object.
  private enum Absence {
    /// There never was one, or nothing of it is left.
    case unknown
    case ended(UploadState)
  }

  package init(directory: ObjectDirectory, ledger: R2DownloadLedger, claims: ClaimStore, journal: NodeJournal) {
    self.directory = directory
    self.ledger = ledger
    self.claims = claims
    self.journal = journal
  }

  /// Nothing to note: until the object is there, nothing is; from then on its metadata says everything.
  package func insert(_ record: UploadRecord) async throws {}
  package func confirmPublished(_ id: UploadID) {}

  package func remove(_ id: UploadID) async throws {
    directory.forget(id)
  }

  package func entry(_ id: UploadID, exact: Bool) async throws -> UploadEntry? {
    if let absence = absent.withLock({ $0[id] }) { return Self.entry(id, absence) }
    guard let known = try await directory.record(id) else { return try await ended(id) }
    // What is remembered of an object says nothing of its deletion by another node.
    if exact, let tombstone = try await ledger.tombstone(id) {
      return UploadEntry(record: known.record, state: tombstone == .blocked ? .blocked : .deleted, slots: [])
    }
    guard let limit = known.record.maxDownloads else {
      return UploadEntry(record: known.record, state: .available, slots: [])
    }
    let slots = exact ? try await ledger.slots(id, limit: limit) : ledger.knownSlots(id)
    let isConsumed = SlotChoice.isConsumed(slots: slots, limit: limit)
    return UploadEntry(record: known.record, state: isConsumed ? .consumed : .available, slots: slots)
  }

  /// A node that knows an uncounted upload asks for its bytes only.
  package var isMarkFinal: Bool { false }

  /// Also takes an upload that was marked before and whose bytes are still there: somebody was told to try again.
  package func markDeleted(_ id: UploadID, now: Timestamp) async throws -> Bool {
    guard let entry = try await entry(id, exact: true), [.available, .deleted].contains(entry.state) else {
      return false
    }
    // Owed before it is said: a crash in between leaves a deletion that is not needed, not a file that stays.
    try await journal.owe(.init(id: id, key: directory.key(of: id)), due: now)
    try await ledger.bury(id, .deleted)
    return true
  }

  package func markGone(_ ids: [UploadID]) async throws {
    for id in ids { directory.forget(id) }
    try await journal.settle(ids)
  }

  package func isWithdrawn(_ id: UploadID) async throws -> Bool {
    try await ledger.tombstone(id) != nil
  }

  package func check() async throws {
    _ = try await journal.due(now: Timestamp(seconds: 0), limit: 1)
  }

  /// The object is gone, or never was: a tombstone or a claim tells.
  private func ended(_ id: UploadID) async throws -> UploadEntry? {
    let absence: Absence
    if let tombstone = try await ledger.tombstone(id) {
      absence = .ended(tombstone == .blocked ? .blocked : .deleted)
    } else {
      absence = try await claims.read(id, slot: 1) == nil ? .unknown : .ended(.consumed)
    }
    absent.withLock { absent in
      if absent.count >= Self.rememberedAbsences { absent.removeAll(keepingCapacity: true) }
      absent[id] = absence
    }
    return Self.entry(id, absence)
  }

  private static func entry(_ id: UploadID, _ absence: Absence) -> UploadEntry? {
    guard case .ended(let state) = absence else { return nil }
    // All that is left of it is that it was.
    let record = UploadRecord(
      id: id, name: nil, contentType: "application/octet-stream", size: 0, sha256: [], createdAt: Timestamp(seconds: 0),
      maxDownloads: .one, deleteTokenHash: [])
    return UploadEntry(record: record, state: state, slots: [])
  }
}
