import UploadCore

/// The claims of one upload, as far as they are known.
struct ClaimView: Sendable {
  var claims: [Int: StoredClaim]
  /// Read from the store in this call, all of them.
  var isFresh: Bool

  var slots: [DownloadSlot] {
    claims.values.map(\.claim.slot).sorted { $0.number < $1.number }
  }

  /// Whether every slot is consumed, which is final whoever says so.
  func isUsedUp(_ limit: DownloadLimit) -> Bool {
    SlotChoice.isConsumed(slots: slots, limit: limit)
  }
}
