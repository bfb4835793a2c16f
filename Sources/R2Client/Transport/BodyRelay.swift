import NIOCore
import Synchronization

/// Hands the bytes of a caller to the HTTP client, one piece at a time: `write` returns when its piece was taken, which the
/// client does when the connection can take more. So two pieces are in memory at most, and nothing is read ahead.
///
/// AsyncHTTPClient reads a body in a task of its own that may outlive the request; it holds only this relay, which `end`
/// shuts for good, so no code of the caller ever runs there.
final class BodyRelay: Sendable {
  private enum State {
    case empty
    case reader(CheckedContinuation<ByteBuffer?, any Error>)
    case writer(ByteBuffer, CheckedContinuation<Void, any Error>)
    case finished
    case failed(any Error)
  }

  private struct Guarded {
    var state = State.empty
    var wasRead = false
    var remaining: Int64
  }

  private let guarded: Mutex<Guarded>

  init(length: Int64) {
    guarded = Mutex(Guarded(remaining: length))
  }

  /// Whether any byte was asked for: then the body cannot be sent again.
  var wasRead: Bool { guarded.withLock { $0.wasRead } }

  /// Whether all bytes were handed over.
  var isComplete: Bool {
    guarded.withLock { guarded in
      if case .finished = guarded.state { true } else { false }
    }
  }

  // MARK: the caller's side

  /// Counts what is about to be written; false when that is more than was said.
  func admit(_ count: Int) -> Bool {
    guarded.withLock { guarded in
      guard Int64(count) <= guarded.remaining else { return false }
      guarded.remaining -= Int64(count)
      return true
    }
  }

  /// Bytes still to come.
  var remaining: Int64 { guarded.withLock { $0.remaining } }

  func write(_ buffer: ByteBuffer) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        put(buffer, continuation)
      }
    } onCancel: {
      fail(CancellationError())
    }
  }

  private func put(_ buffer: ByteBuffer, _ continuation: CheckedContinuation<Void, any Error>) {
    let action: () -> Void = guarded.withLock { guarded in
      switch guarded.state {
      case .empty:
        guarded.state = .writer(buffer, continuation)
        return {}
      case .reader(let reader):
        guarded.state = .empty
        return {
          reader.resume(returning: buffer)
          continuation.resume()
        }
      case .failed(let error): return { continuation.resume(throwing: error) }
      case .writer, .finished: return { continuation.resume(throwing: CancellationError()) }
      }
    }
    action()
  }

  /// No more bytes will come.
  func finish() {
    let reader: CheckedContinuation<ByteBuffer?, any Error>? = guarded.withLock { guarded in
      switch guarded.state {
      case .empty:
        guarded.state = .finished
        return nil
      case .reader(let reader):
        guarded.state = .finished
        return reader
      case .writer, .finished, .failed: return nil
      }
    }
    reader?.resume(returning: nil)
  }

  /// Ends both sides with an error, unless all is over.
  func fail(_ error: any Error) {
    let action: () -> Void = guarded.withLock { guarded in
      switch guarded.state {
      case .empty:
        guarded.state = .failed(error)
        return {}
      case .reader(let reader):
        guarded.state = .failed(error)
        return { reader.resume(throwing: error) }
      case .writer(_, let writer):
        guarded.state = .failed(error)
        return { writer.resume(throwing: error) }
      case .finished, .failed: return {}
      }
    }
    action()
  }

  // MARK: the HTTP client's side

  func read() async throws -> ByteBuffer? {
    try await withCheckedThrowingContinuation { continuation in
      take(continuation)
    }
  }

  private func take(_ continuation: CheckedContinuation<ByteBuffer?, any Error>) {
    let action: () -> Void = guarded.withLock { guarded in
      guarded.wasRead = true
      switch guarded.state {
      case .empty:
        guarded.state = .reader(continuation)
        return {}
      case .writer(let buffer, let writer):
        guarded.state = .empty
        return {
          writer.resume()
          continuation.resume(returning: buffer)
        }
      case .finished: return { continuation.resume(returning: nil) }
      case .failed(let error): return { continuation.resume(throwing: error) }
      case .reader: return { continuation.resume(throwing: CancellationError()) }
      }
    }
    action()
  }
}

extension BodyRelay: AsyncSequence {
  struct AsyncIterator: AsyncIteratorProtocol {
    let relay: BodyRelay

    mutating func next() async throws -> ByteBuffer? {
      try await relay.read()
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(relay: self)
  }
}
