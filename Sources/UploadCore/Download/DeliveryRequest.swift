/// Which bytes of an upload a client wants.
public struct DeliveryRequest: Hashable, Sendable {
  /// Bytes of the whole upload.
  public var size: Int64
  /// First and last byte; `nil` for all.
  public var range: ClosedRange<Int64>?
  /// Salted hash of the client's address; `nil` when the address is not known for certain. Such a client is never the
  /// same client as another, not even as itself.
  public var client: [UInt8]?
  /// Bytes that a piece is charged beyond its own length, for the pieces that will follow it.
  public var advance: Int64
  /// Whether a piece has been charged already, by the `advance` of an earlier one.
  public var isPrepaid: Bool

  /// A request.
  public init(
    size: Int64, range: ClosedRange<Int64>?, client: [UInt8]?, advance: Int64 = 0, isPrepaid: Bool = false
  ) {
    self.size = size
    self.range = range
    self.client = client
    self.advance = advance
    self.isPrepaid = isPrepaid
  }

  /// Whether this client held the slot last.
  public func isOfHolder(_ slot: DownloadSlot) -> Bool {
    guard let client else { return false }
    return slot.client == client
  }

  /// Whether the answer contains the last byte, so that it may complete a delivery and needs a lease.
  public var includesLastByte: Bool {
    guard let range else { return true }
    return range.upperBound >= size - 1
  }

  /// Whether the answer begins after the first byte, so that it may continue an earlier one.
  public var isContinuation: Bool {
    guard let range else { return false }
    return range.lowerBound > 0
  }

  /// Whether the answer lacks the first or the last byte: a client that fetches a file in pieces asks for these.
  public var isPiece: Bool { isContinuation || !includesLastByte }

  /// Bytes of the answer.
  public var length: Int64 {
    guard let range else { return size }
    let last = min(range.upperBound, size - 1)
    return max(0, last.subtractingSaturated(max(0, range.lowerBound)).addingSaturated(1))
  }
}
