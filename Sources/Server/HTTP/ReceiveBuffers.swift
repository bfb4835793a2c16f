import NIOCore
import Synchronization

/// How much is read from a socket at once: much from each of a few connections, for throughput; little from each of many,
/// because a connection whose upload has to wait holds several of these.
struct ReceiveBuffers: RecvByteBufferAllocator {
  /// Bytes.
  static let largest = 128 << 10
  private static let smallest = 8 << 10
  /// Of one buffer for every connection.
  private static let total = 8 << 20

  /// The connections that are open.
  final class Count: Sendable {
    private let number = Atomic(0)

    var current: Int {
      get { number.load(ordering: .relaxed) }
      set { number.store(newValue, ordering: .relaxed) }
    }
  }

  let connections: Count

  /// A power of two, as the capacity of buffers is.
  private var size: Int {
    let share = Self.total / max(1, connections.current)
    return min(Self.largest, max(Self.smallest, 1 << (Int.bitWidth - 1 - share.leadingZeroBitCount)))
  }

  func nextBufferSize() -> Int? { size }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

  mutating func record(actualReadBytes: Int) -> Bool { false }
}
