import FakeS3
import R2Client

/// A signed PUT as the client would never send it.
struct SignedRawRequest {
  var payloadHash = SigV4Signer.unsignedPayload
  /// Signed too.
  var headers: [(name: String, value: String)] = []
  /// Not signed: `Content-Length: 0` or something else.
  var framing = "Content-Length: 0\r\n"
  var body = ""

  /// The status line of the fake's answer.
  func answer(of fake: FakeS3) async throws -> String {
    let now = S3Timestamp.now
    let (place, keys) = Store.settings(fake)
    let signed =
      [
        (name: "host", value: "127.0.0.1:\(fake.port)"), (name: "x-amz-date", value: now.basicText),
        (name: "x-amz-content-sha256", value: payloadHash),
      ] + headers
    let request = CanonicalRequest(
      method: "PUT", path: "/\(place.bucket)/raw", query: [], headers: signed, payloadHash: payloadHash)
    let signer = SigV4Signer(credentials: keys, region: place.region)
    let lines = signed.map { "\($0.name): \($0.value)\r\n" }.joined()
    let text =
      "PUT \(request.path) HTTP/1.1\r\n\(lines)\(framing)Connection: close\r\n"
      + "Authorization: \(signer.authorization(of: request, at: now))\r\n\r\n\(body)"
    let answer = try await RawHTTP.send(text, port: fake.port)
    return String(answer.prefix { $0 != "\r\n" })
  }
}
