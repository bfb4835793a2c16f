import AsyncHTTPClient
import Crypto
import NIOCore
import NIOHTTP1

extension R2Client {
  /// The request as it goes out, signed for this moment.
  func signed(_ request: S3Request, body: HTTPClientRequest.Body?) -> HTTPClientRequest {
    let now = options.now()
    let payloadHash = payloadHash(request, isStreamed: body != nil)
    var headers = request.headers
    headers.add(name: "host", value: endpoint.host)
    headers.add(name: "x-amz-date", value: now.basicText)
    headers.add(name: "x-amz-content-sha256", value: payloadHash)
    let canonical = CanonicalRequest(
      method: request.method.rawValue, path: endpoint.path(request.key), query: request.query,
      headers: headers.map { ($0.name, $0.value) }, payloadHash: payloadHash)
    headers.add(name: "authorization", value: signer.authorization(of: canonical, at: now))

    let query = request.query.isEmpty ? "" : "?\(canonical.canonicalQuery)"
    var message = HTTPClientRequest(url: "\(endpoint.origin)\(canonical.path)\(query)")
    message.method = request.method
    message.headers = headers
    message.body = body ?? request.body.map(self.body)
    return message
  }

  /// Over TLS the bytes are safe without a hash, which would cost about a CPU second per GiB.
  private func payloadHash(_ request: S3Request, isStreamed: Bool) -> String {
    if isStreamed { return SigV4Signer.unsignedPayload }
    guard let body = request.body, body.readableBytes > 0 else { return Self.emptyHash }
    if endpoint.isEncrypted { return SigV4Signer.unsignedPayload }
    var hash = SHA256()
    body.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
    return hash.finalize().hexadecimal
  }

  private static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func body(_ buffer: ByteBuffer) -> HTTPClientRequest.Body {
    buffer.readableBytes <= 2 * BufferSlices.pieceSize
      ? .bytes(buffer) : stream(BufferSlices(buffer: buffer), length: Int64(buffer.readableBytes))
  }

  /// A body of which little waits in memory for the connection.
  func stream(
    _ pieces: some AsyncSequence<ByteBuffer, any Error> & Sendable, length: Int64
  ) -> HTTPClientRequest.Body {
    .stream(PacedBody(pieces: pieces, eventLoops: http.eventLoopGroup), length: .known(length))
  }
}
