/// free ⇄ leased → consumed. Nothing leads away from consumed.
public enum SlotPhase: Hashable, Sendable {
  /// May be leased.
  case free
  /// A sender is at work, or was when it vanished.
  case leased(Lease)
  /// Used up: delivered, or given up after too many attempts.
  case consumed(at: Timestamp)
}
