/// What to do with a request for a counted upload. Each slot in it is to be stored by compare-and-set before the first
/// byte is sent; if that fails, read the slots again and decide anew.
public enum LeaseDecision: Hashable, Sendable {
  /// Send under this lease, and consume it before the last chunk. `resumed`: continues a delivery of the same client.
  case lease(slot: DownloadSlot, resumed: Bool)
  /// Send a piece that cannot complete a delivery. It is charged already; see `DownloadSlot.endingPiece`.
  /// `advance`: bytes that it was charged beyond its own length.
  case part(slot: DownloadSlot, advance: Int64)
  /// Send without spending: the same client fetches what it lacks of a delivery that was spent a moment ago.
  case resumeConsumed(slot: DownloadSlot, advance: Int64)
  /// All slots that are left are held by others: 423, `Retry-After` in seconds.
  case locked(retryAfter: Int)
  /// Nothing is left: 410.
  case gone
}
