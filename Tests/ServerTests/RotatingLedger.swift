import Server
import Synchronization
import UploadCore

/// Gives every call to the next of several ledgers, as a load balancer without any memory would.
final class RotatingLedger: DownloadLedger {
  private let ledgers: [any DownloadLedger]
  private let turn = Mutex(0)

  init(_ ledgers: [any DownloadLedger]) {
    self.ledgers = ledgers
  }

  private var next: any DownloadLedger {
    turn.withLock { turn in
      turn += 1
      return ledgers[turn % ledgers.count]
    }
  }

  func begin(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision {
    try await next.begin(record, request, now: now)
  }

  func beginAndConsume(
    _ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp
  ) async throws -> LeaseDecision {
    try await next.beginAndConsume(record, request, now: now)
  }

  func renew(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    try await next.renew(holder, bytesSent: bytesSent, now: now)
  }

  func release(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws {
    try await next.release(holder, bytesSent: bytesSent, now: now)
  }

  func consume(_ holder: SlotHolder, bytesSent: Int64, now: Timestamp) async throws -> Bool {
    try await next.consume(holder, bytesSent: bytesSent, now: now)
  }

  func endPiece(_ holder: SlotHolder, charged: Int64, sent: Int64, now: Timestamp) async throws {
    try await next.endPiece(holder, charged: charged, sent: sent, now: now)
  }
}
