import NIOCore
import R2Client
import Synchronization
import UploadCore

/// Reads one object. For one reading task at a time.
///
/// Large ranges are fetched in windows, some of them ahead and in parallel while there is memory; else through one stream
/// that the client's pace holds back.
final class R2BlobReader: BlobReader {
  /// Windows that are fetched while one is sent.
  private static let windowsAhead = 3
  /// What a counted download leaves for its last step.
  private static let tailSize = DeliveryStateMachine.maximumLastChunk
  private static let pieceSize = 128 << 10

  /// What is carried from one call to the next.
  private struct State {
    /// A stream that `prepare` has opened.
    var opened: (range: Range<Int64>, body: S3ResponseBody)?
    /// The end of the blob, when a read came close to it.
    var tail: (start: Int64, bytes: ByteBuffer)?
  }

  /// A window that was fetched ahead.
  private struct Fetched: Sendable {
    var index: Int
    var bytes: ByteBuffer
    var ticket: PartTicket
  }

  private let bucket: Bucket
  private let stream: ObjectStream
  private let state = Mutex(State())

  let size: Int64
  var file: OpenFile? { nil }

  init(_ object: KnownObject, in bucket: Bucket) {
    self.bucket = bucket
    stream = ObjectStream(bucket: bucket, object: object)
    size = object.size
  }

  func prepare(_ range: Range<Int64>) async throws -> Bool {
    let windows = windows(range)
    if tail(range) != nil { return true }
    // No bytes are asked for, so nobody would be told that the object has gone.
    if range.isEmpty { return try await bucket.perform { try await stream.isThere() } }
    if state.withLock({ $0.opened?.range == windows[0] }) { return true }
    return try await bucket.perform {
      do {
        let body = try await stream.open(windows[0])
        state.withLock { $0.opened = (windows[0], body) }
        return true
      } catch is ObjectStream.Gone {
        return false
      }
    }
  }

  func read(
    _ range: Range<Int64>, allocator: ByteBufferAllocator, _ body: (ByteBuffer) async throws -> Void
  ) async throws {
    if range.isEmpty { return }
    if let bytes = tail(range) { return try await body(bytes) }
    do {
      try await readWindows(range, body)
    } catch is ObjectStream.Gone {
      throw BucketFailure.unavailable("upload \(stream.object.record.id.shortened) has gone while it was read")
    } catch {
      throw BucketFailure.error(error, bucket.client)
    }
  }

  /// Where the requests begin and end. A range that ends just before the end of the blob is read on to that end.
  private func windows(_ range: Range<Int64>) -> ReadWindows {
    let end = size - range.upperBound <= Int64(Self.tailSize) ? size : range.upperBound
    return ReadWindows(range: range.lowerBound..<max(end, range.upperBound), step: Int64(bucket.budget.partSize))
  }

  private func tail(_ range: Range<Int64>) -> ByteBuffer? {
    state.withLock { state in
      guard let tail = state.tail, tail.start <= range.lowerBound else { return nil }
      let start = tail.bytes.readerIndex + Int(range.lowerBound - tail.start)
      return tail.bytes.getSlice(at: start, length: range.count)
    }
  }

  private func takeOpened(_ window: Range<Int64>) -> S3ResponseBody? {
    state.withLock { state in
      defer { state.opened = nil }
      return state.opened.flatMap { $0.range == window ? $0.body : nil }
    }
  }

  private func readWindows(_ range: Range<Int64>, _ body: (ByteBuffer) async throws -> Void) async throws {
    let windows = windows(range)
    let opened = takeOpened(windows[0])
    var tail = ByteBuffer()
    var position = range.lowerBound
    /// Splits what comes into what was asked for and the tail.
    func deliver(_ piece: ByteBuffer) async throws {
      var piece = piece
      let wanted = Int(min(Int64(piece.readableBytes), max(0, range.upperBound - position)))
      position += Int64(piece.readableBytes)
      if wanted > 0, let bytes = piece.readSlice(length: wanted) { try await body(bytes) }
      tail.writeBuffer(&piece)
    }
    try await withThrowingTaskGroup(of: Fetched.self) { group in
      var fetched: [Int: Fetched] = [:]
      var next = 0
      for index in 0..<windows.count {
        let isAhead = index < next
        next = max(next, index + 1)
        fetchAhead(windows, from: &next, to: index + Self.windowsAhead, &group)
        guard isAhead else {
          try await stream.read(windows[index], opened: index == 0 ? opened : nil, deliver)
          continue
        }
        while fetched[index] == nil, let window = try await group.next() { fetched[window.index] = window }
        guard var window = fetched.removeValue(forKey: index) else { throw CancellationError() }
        while let piece = window.bytes.readSlice(length: min(Self.pieceSize, window.bytes.readableBytes)),
          piece.readableBytes > 0
        {
          try await deliver(piece)
        }
        window.ticket.release()
      }
    }
    if tail.readableBytes > 0 {
      let kept = (range.upperBound, tail)
      state.withLock { $0.tail = kept }
    }
  }

  /// Begins to fetch windows while there is memory. Half of it is left to uploads and to other readers.
  private func fetchAhead(
    _ windows: ReadWindows, from next: inout Int, to last: Int, _ group: inout ThrowingTaskGroup<Fetched, any Error>
  ) {
    while next <= last, next < windows.count,
      let ticket = bucket.budget.tryTake(windows[next].count, reserve: bucket.budget.capacity / 2)
    {
      let (index, window, stream) = (next, windows[next], stream)
      group.addTask {
        var bytes = ByteBufferAllocator().buffer(capacity: window.count)
        try await stream.read(window) { bytes.writeImmutableBuffer($0) }
        return Fetched(index: index, bytes: bytes, ticket: ticket)
      }
      next += 1
    }
  }
}
