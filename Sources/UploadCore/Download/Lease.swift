/// The right of one sender to use a download slot, for a while.
///
/// The nonce and not the time is what protects a slot: who finds another nonce has lost it. The time only decides how
/// soon somebody else may try.
public struct Lease: Hashable, Sendable {
  /// Names the sender: a random number, new for every lease.
  public var nonce: UInt64
  /// When others may take the slot over. The holder renews it while bytes move.
  public var until: Timestamp
  /// Bytes sent under this lease as of its last renewal, so that they are charged even if the sender crashes.
  public var bytesSent: Int64

  /// A lease; nothing sent yet unless said otherwise.
  public init(nonce: UInt64, until: Timestamp, bytesSent: Int64 = 0) {
    self.nonce = nonce
    self.until = until
    self.bytesSent = bytesSent
  }

  /// Whether others may take the slot over: from `until` on, that instant included.
  public func isExpired(at now: Timestamp) -> Bool {
    until <= now
  }
}
