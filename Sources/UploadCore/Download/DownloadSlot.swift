/// One of the N downloads that a counted upload allows.
///
/// A value with pure transitions (see `DownloadSlot+Transitions.swift`). A ledger reads a slot, applies a transition
/// and writes the result back if the stored slot has not changed meanwhile; so promise P1, at most N deliveries,
/// depends on compare-and-set and on nonces, never on clocks.
public struct DownloadSlot: Hashable, Sendable {
  /// 1…N.
  public var number: Int
  /// What the slot is.
  public var phase: SlotPhase
  /// Salted hash of the address of the last holder; `nil` before the first.
  public var client: [UInt8]?
  /// Bytes charged so far: of deliveries that ended early, of parts, of the final delivery.
  public var bytesServed: Int64
  /// Deliveries that were to reach the last byte and ended early, after `attemptThreshold` bytes or more.
  public var attempts: Int
  /// The nonce of the sender that consumed the slot. Who lost the answer to its own `consuming` reads it back here.
  /// `nil` unless consumed, and when attempts used the slot up.
  public var consumedBy: UInt64?
  /// Bytes of `bytesServed` that are charged for pieces on their way: what of them is not sent will be refunded. As far as
  /// one process knows; not stored.
  public var pending: Int64 = 0
  /// Spent by one delivery of all bytes: its client lacks no pieces. As far as one process knows; not stored.
  public var isSpentWhole = false
  /// The nonce of the delivery which the request that leases the slot, or has spent it, continues for the same client. As
  /// far as one process knows; not stored.
  public var continues: UInt64?

  /// Attempts after which a slot is used up.
  public static let maximumAttempts = 10
  /// Bytes from which a delivery that ended early is an attempt.
  public static let attemptThreshold: Int64 = 1_024

  /// A slot as stored.
  public init(
    number: Int,
    phase: SlotPhase,
    client: [UInt8]?,
    bytesServed: Int64,
    attempts: Int,
    consumedBy: UInt64? = nil
  ) {
    self.number = number
    self.phase = phase
    self.client = client
    self.bytesServed = bytesServed
    self.attempts = attempts
    self.consumedBy = consumedBy
  }

  /// A slot nobody has used yet.
  public init(unused number: Int) {
    self.init(number: number, phase: .free, client: nil, bytesServed: 0, attempts: 0)
  }

  /// Bytes after which a slot of an upload of `size` bytes is used up: 2 × size + 1 MiB. Without it "all but the last
  /// byte, for ever" would be free.
  public static func byteBudget(size: Int64) -> Int64 {
    size.multipliedSaturated(by: 2).addingSaturated(1 << 20)
  }

  /// Bytes up to which a consumed slot is resumed: 4 × size + 1 MiB. A slot is within `byteBudget` when its last
  /// delivery begins, so one whole resumption always fits.
  public static func resumeBudget(size: Int64) -> Int64 {
    byteBudget(size: size).addingSaturated(size.multipliedSaturated(by: 2))
  }

  /// Whether the slot is used up.
  public var isConsumed: Bool {
    if case .consumed = phase { true } else { false }
  }

  /// The lease, expired or not; `nil` when there is none.
  public var lease: Lease? {
    if case .leased(let lease) = phase { lease } else { nil }
  }

  /// Whether attempts or bytes are at their limits: such a slot begins nothing more.
  public func isExhausted(size: Int64) -> Bool {
    attempts >= Self.maximumAttempts || bytesServed >= Self.byteBudget(size: size)
  }

  /// Whether they are so for good, because nothing is on its way whose refund could change it. Such a slot becomes consumed
  /// as soon as nobody holds it.
  public func isUsedUp(size: Int64) -> Bool {
    attempts >= Self.maximumAttempts || bytesServed.subtractingSaturated(pending) >= Self.byteBudget(size: size)
  }
}
