import Logging
import R2Client
import UploadCore

/// The download ledger of a cluster: one small object per slot, changed only by conditional writes.
package struct R2DownloadLedger: DownloadLedger {
  /// Told when every slot of an upload is consumed; may be told again.
  package typealias OnConsumed = @Sendable (UploadID, Timestamp) async throws -> Void

  package init(
    client: R2Client, leaseSeconds: Int64, resumeSeconds: Int64, logger: Logger, onConsumed: @escaping OnConsumed
  ) {
  }

  package func begin(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision {
    .locked(retryAfter: 1)
  }

  package func beginAndConsume(
    _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp
  ) async throws -> LeaseDecision {
    .locked(retryAfter: 1)
  }

  package func renew(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool { false }

  package func release(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws {}

  package func consume(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool { false }

  package func refund(_ holder: SlotHolder, planned: Int64, sent: Int64, now: Timestamp) async throws {}

  /// The slots that this process remembers; those that are consumed stay so, the others are what was seen last.
  package func knownSlots(_ id: UploadID) -> [DownloadSlot] { [] }

  /// The slots as the bucket has them.
  package func slots(_ id: UploadID, limit: DownloadLimit) async throws -> [DownloadSlot] { [] }
}
