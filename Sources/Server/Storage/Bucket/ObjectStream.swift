import NIOCore
import R2Client
import UploadCore

/// Bytes of one object, in order, whatever happens to single connections: a stream that breaks continues by range at the
/// exact offset.
struct ObjectStream: Sendable {
  /// The object is no longer there, or is another one.
  struct Gone: Error {}

  /// Breaks one after the other without a byte in between.
  private static let attempts = 5

  let bucket: Bucket
  let object: KnownObject

  /// Begins to fetch `range`; its bytes wait in the store until they are read.
  ///
  /// - Throws: `Gone`, `S3Error`.
  func open(_ range: Range<Int64>) async throws -> S3ResponseBody {
    do {
      let answer = try await bucket.client.getObject(
        object.key, range: .bytes(range), ifMatch: object.eTag)
      guard answer.range == range, answer.metadata.size == object.size else {
        throw BucketFailure.unavailable("the store has answered \(answer.range) instead of \(range)")
      }
      return answer.body
    } catch let error as S3Error where error.isNotFound || error.isPreconditionFailed {
      bucket.directory.forget(object.record.id)
      throw Gone()
    }
  }

  /// Whether the object is still there.
  func isThere() async throws -> Bool {
    do {
      if try await bucket.client.headObject(object.key).eTag == object.eTag { return true }
    } catch let error as S3Error where error.isNotFound {}
    bucket.directory.forget(object.record.id)
    return false
  }

  /// Hands out the bytes of `range`.
  ///
  /// - Parameter opened: their stream, when it has been opened before.
  func read(
    _ range: Range<Int64>, opened: S3ResponseBody? = nil, _ body: (ByteBuffer) async throws -> Void
  ) async throws {
    var position = range.lowerBound
    var opened = opened
    var failures = 0
    while position < range.upperBound {
      let source: S3ResponseBody
      if let body = opened {
        opened = nil
        source = body
      } else {
        source = try await open(position..<range.upperBound)
      }
      let start = position
      let outcome = try await read(source, &position, end: range.upperBound, body)
      guard position < range.upperBound else { return }
      guard case .ended(let broken) = outcome else { continue }
      failures = position > start ? 1 : failures + 1
      guard failures < Self.attempts else {
        throw broken ?? BucketFailure.unavailable("the store ends its answers too early")
      }
      try await bucket.client.pause(afterAttempt: failures)
    }
  }

  /// How the reading of one answer ended.
  private enum Outcome {
    /// With all that the store has sent, or too early for this reason.
    case ended(S3Error?)
    /// Another reader needed its place.
    case taken
  }

  /// Reads one answer as far as it comes.
  ///
  private func read(
    _ source: S3ResponseBody, _ position: inout Int64, end: Int64, _ body: (ByteBuffer) async throws -> Void
  ) async throws -> Outcome {
    let stream = bucket.streams.add(source)
    defer { bucket.streams.close(stream) }
    while true {
      let piece: ByteBuffer
      do {
        switch try await stream.next() {
        case .bytes(let bytes): piece = bytes
        case .end: return .ended(nil)
        case .taken: return .taken
        }
      } catch let error as S3Error {
        return .ended(error)
      }
      position += Int64(piece.readableBytes)
      guard position <= end else {
        throw BucketFailure.unavailable("the store has sent more bytes than were asked for")
      }
      try await body(piece)
    }
  }
}
