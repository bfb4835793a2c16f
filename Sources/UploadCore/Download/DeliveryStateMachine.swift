/// The sender's side of one delivery that includes the last byte of a counted upload: events in, actions out.
///
/// All but the last chunk is sent; the peer has to acknowledge it; the slot is consumed; only then goes the last chunk.
/// So who could not consume never completes a delivery, and a client that vanishes earlier spends nothing.
///
/// ```
/// idle ─started→ bulk ─bulkSent→ acknowledgement ─peerAcknowledged→ consumption ─consumeSucceeded→ lastChunk ─→ ended
///                  └──── clientGone, stalled: release · leaseLost: abort ────┘        └ consumeFailed: abort
/// ```
///
/// While the consumption is under way nothing else counts: its outcome alone says whether the download is spent.
/// An event that does not fit the state (a late timer, say) changes nothing.
public struct DeliveryStateMachine: Hashable, Sendable {
  /// The most bytes that are held back until the slot is consumed.
  public static let maximumLastChunk: Int64 = 65_536

  /// What happened.
  public enum Event: Hashable, Sendable, CaseIterable {
    /// The head of the response is out; the body may begin.
    case started
    /// All bytes of `Action.sendBulk` were handed to the transport.
    case bulkSent
    /// The peer has acknowledged all that was sent.
    case peerAcknowledged
    /// The slot is consumed with our nonce.
    case consumeSucceeded
    /// The slot could not be consumed, or nobody knows.
    case consumeFailed
    /// The last chunk was handed to the transport.
    case lastChunkSent
    /// The connection is closed.
    case clientGone
    /// A renewal found another nonce.
    case leaseLost
    /// The peer took or acknowledged nothing for too long.
    case stalled
  }

  /// What to do next.
  public enum Action: Hashable, Sendable {
    /// Send so many bytes from the beginning of the range; then report `bulkSent`.
    case sendBulk(Int64)
    /// Wait, bounded, until the peer has acknowledged; then report `peerAcknowledged` or `stalled`.
    case waitForAcknowledgement
    /// Consume the slot by compare-and-set; then report `consumeSucceeded` or `consumeFailed`.
    case consume
    /// Send the rest of the range, so many bytes; then report `lastChunkSent`.
    case sendLastChunk(Int64)
    /// Give the slot back and close the connection. The end.
    case release
    /// Close the connection without completing the body; leave the slot alone. The end.
    case abort
    /// Done; the connection may be kept. The end.
    case finish
  }

  private enum State: Hashable {
    case idle
    case bulk
    case acknowledgement
    case consumption(clientGone: Bool)
    case lastChunk
    case ended
  }

  /// Bytes that are sent before the slot is consumed.
  public let bulk: Int64
  /// Bytes that are sent after.
  public let lastChunk: Int64
  private var state = State.idle

  /// - Parameter size: bytes of the range that is sent, which includes the last byte of the upload.
  public init(size: Int64) {
    lastChunk = min(max(0, size), Self.maximumLastChunk)
    bulk = max(0, size) - lastChunk
  }

  /// Whether an action that ends the delivery was returned.
  public var isEnded: Bool { state == .ended }

  /// Takes an event; returns what to do next, `nil` for nothing.
  public mutating func handle(_ event: Event) -> Action? {
    switch state {
    case .idle: idle(event)
    case .bulk: sendingBulk(event)
    case .acknowledgement: waiting(event)
    case .consumption(let clientGone): consuming(event, clientGone: clientGone)
    case .lastChunk: sendingLastChunk(event)
    case .ended: nil
    }
  }

  private mutating func idle(_ event: Event) -> Action? {
    guard event == .started else { return interrupted(by: event) }
    if bulk == 0 { return enter(.consumption(clientGone: false), .consume) }
    return enter(.bulk, .sendBulk(bulk))
  }

  private mutating func sendingBulk(_ event: Event) -> Action? {
    event == .bulkSent ? enter(.acknowledgement, .waitForAcknowledgement) : interrupted(by: event)
  }

  private mutating func waiting(_ event: Event) -> Action? {
    event == .peerAcknowledged ? enter(.consumption(clientGone: false), .consume) : interrupted(by: event)
  }

  /// Before the slot is consumed an end costs nothing.
  private mutating func interrupted(by event: Event) -> Action? {
    switch event {
    case .clientGone, .stalled: enter(.ended, .release)
    case .leaseLost: enter(.ended, .abort)
    default: nil
    }
  }

  private mutating func consuming(_ event: Event, clientGone: Bool) -> Action? {
    switch event {
    case .consumeSucceeded where !clientGone: return enter(.lastChunk, .sendLastChunk(lastChunk))
    // Spent, but the client may resume for a while.
    case .consumeSucceeded, .consumeFailed: return enter(.ended, .abort)
    case .clientGone:
      state = .consumption(clientGone: true)
      return nil
    default: return nil
    }
  }

  private mutating func sendingLastChunk(_ event: Event) -> Action? {
    switch event {
    case .lastChunkSent: enter(.ended, .finish)
    case .clientGone, .stalled: enter(.ended, .abort)
    default: nil
    }
  }

  private mutating func enter(_ next: State, _ action: Action) -> Action {
    state = next
    return action
  }
}
