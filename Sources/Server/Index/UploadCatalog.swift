import UploadCore

/// The uploads that exist. On a single machine the index knows them; in a cluster the bucket does.
package protocol UploadCatalog: Sendable {
  /// Notes a finished upload, before its bytes are published. Durable when it returns.
  func insert(_ record: UploadRecord) async throws

  /// The bytes of an upload have got their name.
  func confirmPublished(_ id: UploadID)

  /// Takes back an `insert` whose bytes could not be published.
  func remove(_ id: UploadID) async throws

  /// The upload with this id, whatever its state; nil when there has been none.
  ///
  /// - Parameter exact: ask for the slots; else what is known of them without asking is enough (the ledger decides).
  func entry(_ id: UploadID, exact: Bool) async throws -> UploadEntry?

  /// Whether the mark of a deletion ends an upload for everybody at once. Else only the removal of its bytes does, because
  /// other nodes remember it.
  var isMarkFinal: Bool { get }

  /// Marks an upload as deleted, and its bytes as due.
  ///
  /// - Returns: whether it was there to be deleted.
  func markDeleted(_ id: UploadID, now: Timestamp) async throws -> Bool

  /// The bytes of these uploads have left the store.
  func markGone(_ ids: [UploadID]) async throws

  /// Whether an upload was deleted or blocked. Cheap: transfers in progress ask again and again.
  func isWithdrawn(_ id: UploadID) async throws -> Bool

  /// Proves that the catalog answers.
  func check() async throws
}

/// An upload as the catalog knows it.
package struct UploadEntry: Sendable {
  package var record: UploadRecord
  /// available, consumed, deleted or blocked.
  package var state: UploadState
  /// The slots that have been touched, by number.
  package var slots: [DownloadSlot]

  package init(record: UploadRecord, state: UploadState, slots: [DownloadSlot]) {
    self.record = record
    self.state = state
    self.slots = slots
  }

  /// What is left of an upload that is there and whose downloads are counted; nil for all others.
  package func availability(now: Timestamp) -> Availability? {
    guard let limit = record.maxDownloads, [.available, .consumed].contains(state) else { return nil }
    if state == .consumed { return .consumed }
    return SlotChoice.availability(slots: slots, limit: limit, size: record.size, now: now)
  }
}
