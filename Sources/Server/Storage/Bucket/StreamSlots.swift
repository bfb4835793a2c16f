import NIOCore
import R2Client
import Synchronization

/// The answers of the store that are read at the pace of clients.
///
/// Each holds a connection to the store, and the store gives us so many. So they have fewer places than there are connections:
/// the rest is for what waits for nobody (parts, claims, questions). Who needs a place when all are taken ends the answer whose
/// client has been waited for longest; its reader asks the store again, from where it stood, when that client goes on.
final class StreamSlots: Sendable {
  /// How long a client is waited for before its answer may be ended.
  private static let patience = TimeAmount.milliseconds(250)

  private let capacity: Int
  private let open = Mutex<[ObjectIdentifier: OpenStream]>([:])

  /// - Parameter connections: that the store gives us.
  init(connections: Int) {
    capacity = max(1, connections / 2)
  }

  /// Gives a place to an answer. Must be given back by `close`.
  func add(_ body: S3ResponseBody) -> OpenStream {
    let stream = OpenStream(body)
    let ended: OpenStream? = open.withLock { open in
      defer { open[ObjectIdentifier(stream)] = stream }
      guard open.count >= capacity else { return nil }
      let longest = open.values.compactMap { stream in stream.restingSince.map { (stream, $0) } }.min { $0.1 < $1.1 }
      guard let (stream, since) = longest, NIODeadline.now() - since >= Self.patience else { return nil }
      return open.removeValue(forKey: ObjectIdentifier(stream))
    }
    ended?.end()
    return stream
  }

  func close(_ stream: OpenStream) {
    open.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(stream)) }
  }
}

/// One answer of the store while it is read.
final class OpenStream: Sendable {
  /// What the next read of the answer brings.
  enum Piece {
    case bytes(ByteBuffer)
    case end
    /// Its place was needed: the reader has to ask the store again.
    case taken
  }

  /// Unchecked: it is moved out of `state` to be read from and moved back, so one task at a time has it.
  private struct Source: @unchecked Sendable {
    var iterator: S3ResponseBody.AsyncIterator
  }

  private enum State {
    /// The reader is busy with its client.
    case resting(Source, since: NIODeadline)
    case reading
    case ended
  }

  private let state: Mutex<State>

  fileprivate init(_ body: S3ResponseBody) {
    state = Mutex(.resting(Source(iterator: body.makeAsyncIterator()), since: .now()))
  }

  fileprivate var restingSince: NIODeadline? {
    state.withLock { if case .resting(_, let since) = $0 { since } else { nil } }
  }

  /// With the last reference to the iterator its request ends, and the connection is closed.
  fileprivate func end() {
    state.withLock { state in
      if case .resting = state { state = .ended }
    }
  }

  /// For one task.
  func next() async throws -> Piece {
    let source: Source? = state.withLock { state in
      guard case .resting(let source, _) = state else { return nil }
      state = .reading
      return source
    }
    guard var source else { return .taken }
    guard let bytes = try await source.iterator.next() else {
      state.withLock { $0 = .ended }
      return .end
    }
    let read = source
    state.withLock { $0 = .resting(read, since: .now()) }
    return .bytes(bytes)
  }
}
