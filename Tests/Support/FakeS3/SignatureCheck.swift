import Crypto
import Foundation
import NIOCore
import NIOHTTP1

/// Checks SigV4 signatures of headers and of presigned URLs. Written apart from the client's signer, so that one mistake is
/// not made twice.
struct SignatureCheck {
  let rules: FakeS3Rules
  let request: FakeS3Request

  /// Throws the answer of a request that is not signed as it should be.
  func check() throws {
    let isPresigned = request[query: "X-Amz-Signature"] != nil
    let fields = isPresigned ? presignedFields : headerFields
    guard let credential = fields["Credential"]?.split(separator: "/"), credential.count == 5,
      let signed = fields["SignedHeaders"]?.split(separator: ";").map(String.init), let signature = fields["Signature"],
      let date = isPresigned ? request[query: "X-Amz-Date"] : request[header: "x-amz-date"], signed.contains("host")
    else { throw FakeS3Reply.error(401, "Unauthorized", "the request is not signed") }
    guard credential[0] == rules.accessKeyID else {
      throw FakeS3Reply.error(401, "Unauthorized", "the access key is not known")
    }
    try checkTime(date, presigned: isPresigned ? request[query: "X-Amz-Expires"] : nil)
    let hash = isPresigned ? "UNSIGNED-PAYLOAD" : request[header: "x-amz-content-sha256"] ?? ""
    if hash.hasPrefix("STREAMING-") {
      throw FakeS3Reply.error(501, "NotImplemented", "\(hash) is not implemented")
    }
    let scope = credential.dropFirst().joined(separator: "/")
    guard scope == "\(date.prefix(8))/\(rules.region)/s3/aws4_request",
      expected(signed: signed, hash: hash, date: date, scope: scope) == signature
    else { throw FakeS3Reply.error(403, "SignatureDoesNotMatch", "the signature does not match") }
    try checkBody(hash)
  }

  private var headerFields: [String: String] {
    let text = request[header: "authorization"] ?? ""
    guard text.hasPrefix("AWS4-HMAC-SHA256 ") else { return [:] }
    let pairs = text.dropFirst("AWS4-HMAC-SHA256 ".count).split(separator: ",").map { field in
      let sides = field.split(separator: "=", maxSplits: 1)
      return (sides[0].trimmingCharacters(in: .whitespaces), sides.count > 1 ? String(sides[1]) : "")
    }
    return Dictionary(pairs) { first, _ in first }
  }

  private var presignedFields: [String: String] {
    ["Credential", "SignedHeaders", "Signature"].reduce(into: [:]) { $0[$1] = request[query: "X-Amz-\($1)"] }
  }

  private func checkTime(_ text: String, presigned expires: String?) throws {
    let digits = text.utf8.compactMap { (48...57).contains($0) ? Int32($0 - 48) : nil }
    guard text.utf8.count == 16, digits.count == 14 else {
      throw FakeS3Reply.error(400, "InvalidArgument", "the date cannot be read")
    }
    let pairs = stride(from: 0, to: 14, by: 2).map { digits[$0] * 10 + digits[$0 + 1] }
    var fields = tm()
    fields.tm_year = pairs[0] * 100 + pairs[1] - 1900
    (fields.tm_mon, fields.tm_mday) = (pairs[2] - 1, pairs[3])
    (fields.tm_hour, fields.tm_min, fields.tm_sec) = (pairs[4], pairs[5], pairs[6])
    let age = time(nil) - timegm(&fields)
    guard age > -rules.clockTolerance, expires != nil || age < rules.clockTolerance else {
      throw FakeS3Reply.error(403, "RequestTimeTooSkewed", "the clocks are too far apart")
    }
    if let expires = expires.flatMap({ Int($0) }), age > expires {
      throw FakeS3Reply.error(400, "ExpiredRequest", "the time of the URL is over")
    }
  }

  private func expected(signed: [String], hash: String, date: String, scope: String) -> String {
    let path = request.head.uri.prefix { $0 != "?" }
    let query = request.query.filter { $0.name != "X-Amz-Signature" }
      .map { "\(FakeS3Request.encoded($0.name))=\(FakeS3Request.encoded($0.value))" }.sorted()
    let headers = signed.map { name in
      let values = request.head.headers[name].map { $0.trimmingCharacters(in: .whitespaces) }
      return "\(name):\(values.joined(separator: ","))\n"
    }
    let canonical = [
      request.head.method.rawValue, FakeS3Request.encoded(FakeS3Request.decoded(path), except: "/"),
      query.joined(separator: "&"), headers.joined(), signed.joined(separator: ";"), hash,
    ].joined(separator: "\n")
    let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(Self.hex(SHA256.hash(data: Data(canonical.utf8))))"
    var key = SymmetricKey(data: Data("AWS4\(rules.secretAccessKey)".utf8))
    for step in scope.split(separator: "/") {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(step.utf8), using: key))
    }
    return Self.hex(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
  }

  private func checkBody(_ hash: String) throws {
    let body = Data(request.body.readableBytesView)
    if hash != "UNSIGNED-PAYLOAD", hash != Self.hex(SHA256.hash(data: body)) {
      throw FakeS3Reply.error(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed")
    }
    if let md5 = request[header: "content-md5"], md5 != Data(Insecure.MD5.hash(data: body)).base64EncodedString() {
      throw FakeS3Reply.error(400, "BadDigest", "the body does not match Content-MD5")
    }
  }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
