import Synchronization
import UploadCore

// Pieces of a download. Programs that fetch a file over several connections ask for dozens of them at once, and R2 takes
// one write of a claim a second. So one write pays for a piece, for those that wait behind it, and for some to come.
extension R2DownloadLedger {
  func beginPiece(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) async throws -> LeaseDecision {
    guard let client = request.client else { return try await begin(record, request, now: now, consumes: false) }
    let account = pieces.account(record.id, client)
    return try await account.inTurn(request.length) { waiting in
      if let decision = prepaid(record, request, now: now), account.spend(request.length) { return decision }
      var request = request
      request.advance = min(waiting, record.size) + record.size / 8
      let decision = try await begin(record, request, now: now, consumes: false)
      switch decision {
      case .part(_, let advance), .resumeConsumed(_, let advance): account.add(advance)
      case .lease, .locked, .gone: break
      }
      return decision
    }
  }

  package func endPiece(_ holder: SlotHolder, charged: Int64, sent: Int64, now: Timestamp) async throws {
    // On its way until its refund is stored: in between the slot would look used up.
    defer { deliveries.end(holder, charged: charged) }
    var unsent = max(0, charged - sent)
    if let client = holder.client {
      let account = pieces.account(holder.id, client)
      account.add(unsent)
      unsent = account.takeExcess(over: holder.size / 4 + PieceAccounts.smallCredit)
    }
    let isUsedUp = memory.claim(holder.id, holder.slot)?.claim.slot.isExhausted(size: holder.size) == true
    guard unsent > 0 || isUsedUp else { return }
    let refund = unsent
    let slot = try await change(holder, isRepeatable: false) { slot throws(SlotRefusal) in
      var slot = slot
      slot.pending = max(0, slot.pending - charged)
      return slot.endingPiece(charged: refund, sent: 0, now: now, size: holder.size)
    }
    if slot?.isConsumed == true { await noteConsumption(holder.id) }
  }

  /// What to do with a piece that is paid for already, by what is remembered; nil when that cannot be said.
  private func prepaid(_ record: UploadRecord, _ request: DeliveryRequest, now: Timestamp) -> LeaseDecision? {
    guard let limit = record.maxDownloads, !record.id.isExpired(at: now), !memory.isGone(record.id) else { return nil }
    let claims = memory.claims(record.id)
    guard !claims.isEmpty else { return nil }
    var request = request
    request.isPrepaid = true
    let decision = SlotChoice.decide(
      slots: deliveries.mark(ClaimView(claims: claims, isFresh: false).slots, of: record.id), limit: limit,
      request: request, nonce: 0,
      leaseSeconds: leaseSeconds, resumeSeconds: resumeSeconds, now: now)
    switch decision {
    case .part(let slot, _), .resumeConsumed(let slot, _): return claims[slot.number] == nil ? nil : decision
    case .lease, .locked, .gone: return nil
    }
  }
}

/// What clients have paid for pieces and not fetched yet. Memory of this process: what is lost with it was paid for nothing,
/// an eighth of the file as a rule. Bounded.
final class PieceAccounts: Sendable {
  /// Bytes that are not worth a write.
  static let smallCredit: Int64 = 1 << 20
  private static let capacity = 10_000

  private struct Owner: Hashable {
    var id: UploadID
    var client: [UInt8]
  }

  private let accounts = Mutex<[Owner: Account]>([:])

  func account(_ id: UploadID, _ client: [UInt8]) -> Account {
    accounts.withLock { accounts in
      let owner = Owner(id: id, client: client)
      if let account = accounts[owner] { return account }
      if accounts.count >= Self.capacity { accounts.removeAll() }
      let account = Account()
      accounts[owner] = account
      return account
    }
  }

  /// Of one client, for one upload.
  final class Account: Sendable {
    private let turn = PartBudget(bytes: 1, partSize: 1)
    private let state = Mutex<(credit: Int64, waiting: Int64)>((0, 0))

    /// Runs one after the other; `body` is told the bytes of the pieces that wait behind it.
    func inTurn<T: Sendable>(_ bytes: Int64, _ body: (_ waiting: Int64) async throws -> T) async throws -> T {
      state.withLock { $0.waiting += bytes }
      let ticket: PartTicket
      do {
        ticket = try await turn.take()
      } catch {
        state.withLock { $0.waiting -= bytes }
        throw error
      }
      defer { ticket.release() }
      let waiting = state.withLock { state in
        state.waiting -= bytes
        return state.waiting
      }
      return try await body(waiting)
    }

    func add(_ bytes: Int64) { state.withLock { $0.credit += bytes } }

    /// - Returns: false when there is not so much.
    func spend(_ bytes: Int64) -> Bool {
      state.withLock { state in
        guard state.credit >= bytes else { return false }
        state.credit -= bytes
        return true
      }
    }

    /// All of it, when it is more than `limit`.
    func takeExcess(over limit: Int64) -> Int64 {
      state.withLock { state in
        guard state.credit > limit else { return 0 }
        defer { state.credit = 0 }
        return state.credit
      }
    }
  }
}
