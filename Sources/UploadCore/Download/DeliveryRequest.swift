/// Which bytes of an upload a client wants.
public struct DeliveryRequest: Hashable, Sendable {
  /// Bytes of the whole upload.
  public var size: Int64
  /// First and last byte; `nil` for all.
  public var range: ClosedRange<Int64>?
  /// Salted hash of the client's address.
  public var client: [UInt8]

  /// A request.
  public init(size: Int64, range: ClosedRange<Int64>?, client: [UInt8]) {
    self.size = size
    self.range = range
    self.client = client
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

  /// Bytes of the answer.
  public var length: Int64 {
    guard let range else { return size }
    let last = min(range.upperBound, size - 1)
    return max(0, last.subtractingSaturated(max(0, range.lowerBound)).addingSaturated(1))
  }
}
