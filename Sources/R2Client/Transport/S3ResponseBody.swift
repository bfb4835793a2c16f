import AsyncHTTPClient
public import NIOCore

/// The bytes of an answer, in order. Bytes are read from the connection only when the next are asked for, so a slow reader
/// holds the store back and memory stays small. Can be iterated once.
///
/// Ends with an ``S3Error`` when the connection breaks (`ConnectionLost`), brings nothing for ``S3Timeouts/idle``
/// (`IdleTimeout`), or ends before all bytes have come; what came before is right, and can be continued by range.
public struct S3ResponseBody: AsyncSequence, Sendable {
  /// A piece of the body.
  public typealias Element = ByteBuffer

  let body: HTTPClientResponse.Body
  let length: Int64
  let request: S3Request

  /// Reads one body.
  public struct AsyncIterator: AsyncIteratorProtocol {
    var iterator: HTTPClientResponse.Body.AsyncIterator
    var remaining: Int64
    let request: S3Request

    /// The next bytes; nil when all have come.
    public mutating func next() async throws -> ByteBuffer? {
      do {
        guard let piece = try await iterator.next() else {
          try Task.checkCancellation()
          guard remaining <= 0 else { throw request.failure(.connectionLost, "\(remaining) bytes are missing") }
          return nil
        }
        remaining -= Int64(piece.readableBytes)
        return piece
      } catch {
        throw TransportFailure.error(from: error, request)
      }
    }
  }

  /// Begins to read. Once.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(iterator: body.makeAsyncIterator(), remaining: length, request: request)
  }

  /// All bytes at once.
  ///
  /// - Parameter limit: throws `EntityTooLarge` when there are more bytes than this.
  public func collect(upTo limit: Int) async throws -> ByteBuffer {
    guard length <= limit else {
      throw request.failure(.entityTooLarge, "\(length) bytes, at most \(limit) were wanted")
    }
    var whole = ByteBuffer()
    whole.reserveCapacity(Int(length))
    for try await var piece in self {
      whole.writeBuffer(&piece)
    }
    return whole
  }
}
