import UploadCore

/// Who may download a counted upload, and which downloads are used up. All decisions are `UploadCore`'s; a ledger makes
/// each one atomic.
///
/// What every implementation keeps (`DownloadLedgerContract` in the test kit):
/// - a slot is consumed at most once, by the holder of its lease, whatever the clocks say and whoever crashes (P1);
/// - a lease that is released or has ended can be taken again (P2);
/// - every transition is a compare-and-set on the lease's nonce.
package protocol DownloadLedger: Sendable {
  /// Takes a slot for a request, or says why there is none.
  func begin(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision

  /// Takes a slot and consumes it in one step: for a body that fits into the last chunk.
  func beginAndConsume(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision

  /// Prolongs a lease and notes how far the sender has got.
  ///
  /// - Returns: false when the slot belongs to another client by now.
  func renew(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool

  /// Gives an unfinished download back.
  func release(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws

  /// Waits until the store will take the consumption: R2 takes one write of a key a second. For a moment at most, in which
  /// the client may still leave without having spent anything.
  func awaitTurn(_ holder: SlotHolder) async throws

  /// Uses the slot up; durable when it returns.
  ///
  /// - Returns: false when the slot belongs to another client by now: the last chunk must not be sent.
  func consume(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool

  /// A piece has ended: gives back what it was charged for and did not send. A slot that pieces have used up is consumed.
  /// To be told of every piece.
  func endPiece(_ holder: SlotHolder, charged: Int64, sent: Int64, now: Timestamp) async throws
}

extension DownloadLedger {
  /// A database takes any number of writes.
  package func awaitTurn(_ holder: SlotHolder) async throws {}
}

/// The sender's claim on one slot.
package struct SlotHolder: Sendable, Hashable {
  package var id: UploadID
  /// Size of the upload, for the byte budget of the slot.
  package var size: Int64
  package var slot: Int
  package var nonce: UInt64
  /// Salted hash of the client's address; nil when it is not known for certain.
  package var client: [UInt8]?
  /// The sender sends a piece, not the whole file.
  package var isPiece = false
  /// Of a piece: with it the slot was at its limits.
  package var isUsedUp = false

  package init(id: UploadID, size: Int64, slot: Int, nonce: UInt64, client: [UInt8]? = nil) {
    self.id = id
    self.size = size
    self.slot = slot
    self.nonce = nonce
    self.client = client
  }

  /// The client that this sender shares a slot with; nil for nobody.
  func sharing(_ slot: DownloadSlot) -> [UInt8]? {
    slot.sharing(client: client, nonce: nonce, isPiece: isPiece)
  }
}
