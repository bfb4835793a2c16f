public import NIOCore

/// Takes the bytes of a streamed body. Belongs to the call that it was given by.
public struct S3BodyWriter: Sendable {
  let relay: BodyRelay
  let request: S3Request

  /// Sends the next bytes of the body; returns when the connection has taken them. Pieces of 64 to 256 KiB are best.
  ///
  /// Throws an ``S3Error`` when the upload has failed meanwhile or more bytes come than were announced, or `CancellationError`.
  public func write(_ bytes: ByteBuffer) async throws {
    guard bytes.readableBytes > 0 else { return }
    guard relay.admit(bytes.readableBytes) else {
      let error = request.failure(.incompleteBody, "the body is longer than was announced")
      relay.fail(error)
      throw error
    }
    try await relay.write(bytes)
  }
}
