import Logging
import UploadCore

// Who is told when nothing is left.
extension R2DownloadLedger {
  /// A sender waits for this with its last chunk.
  private static let longestCheck = Duration.seconds(2)

  /// A slot was consumed: if it was the last one, says so. What fails here is made up for by the next request, or by the
  /// expiry: the download itself is decided.
  func noteConsumption(_ id: UploadID) async {
    guard let limit = memory.limit(id), !memory.isReported(id) else { return }
    do {
      let view = limit.count == 1 ? ClaimView(claims: memory.claims(id), isFresh: false) : try await rest(id, limit)
      if view.isUsedUp(limit) { await report(id, view) }
    } catch {
      logger.debug("not known whether downloads are left", metadata: ["id": "\(id.shortened)", "error": "\(error)"])
    }
  }

  func report(_ id: UploadID, _ view: ClaimView) async {
    guard !memory.isReported(id) else { return }
    let times = view.slots.compactMap { slot -> Timestamp? in
      if case .consumed(let at) = slot.phase { at } else { nil }
    }
    guard let last = times.max() else { return }
    do {
      try await onConsumed(id, last)
      memory.rememberReported(id)
    } catch {
      logger.warning(
        "the bytes of a used-up upload stay until its next request or its expiry",
        metadata: ["id": "\(id.shortened)", "error": "\(error)"])
    }
  }

  /// Looks for a slot that is not consumed, from the last one down because they are taken from the first up: one read
  /// as a rule. Two nodes that consume the last two slots at once both look after they have written, so one sees all.
  private func rest(_ id: UploadID, _ limit: DownloadLimit) async throws -> ClaimView {
    try await withThrowingTaskGroup(of: ClaimView?.self) { group in
      group.addTask {
        for number in (1...limit.count).reversed() where memory.claim(id, number)?.claim.slot.isConsumed != true {
          guard try await read(id, number)?.claim.slot.isConsumed == true else { break }
        }
        return ClaimView(claims: memory.claims(id), isFresh: false)
      }
      group.addTask {
        try await patience.sleep(Self.longestCheck)
        return nil
      }
      defer { group.cancelAll() }
      guard let view = try await group.next() ?? nil else { throw Self.busy }
      return view
    }
  }
}
