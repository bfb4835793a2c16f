/// Why a transition of a download slot is refused. The stored slot stays as it is.
public enum SlotRefusal: Error, Hashable, Sendable {
  /// The lease with this nonce is over: released, or taken over by another sender.
  case leaseLost
  /// The slot is used up, by another sender.
  case consumed
  /// Another sender holds the slot until then.
  case leased(until: Timestamp)
  /// Too many attempts or bytes: the slot is used up by them. Carries the slot as it is to be stored.
  case exhausted(DownloadSlot)
}
