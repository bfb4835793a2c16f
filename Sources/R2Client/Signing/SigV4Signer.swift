import Crypto
import Synchronization

/// Signs requests with AWS Signature Version 4. Knows no HTTP client and no clock.
package final class SigV4Signer: Sendable {
  /// Stands for the hash of a body that is not known before it is sent; only over TLS are such bytes safe from changes.
  package static let unsignedPayload = "UNSIGNED-PAYLOAD"
  private static let algorithm = "AWS4-HMAC-SHA256"

  private let credentials: S3Credentials
  private let region: String
  private let service: String
  /// The key of the day: four HMACs that most requests need not repeat.
  private let signingKey = Mutex<(day: String, key: SymmetricKey)?>(nil)

  package init(credentials: S3Credentials, region: String, service: String = "s3") {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// The value of `Authorization`. The request must hold `x-amz-date` with the same time among its headers.
  package func authorization(of request: CanonicalRequest, at time: S3Timestamp) -> String {
    let signature = signature(of: request, at: time)
    return "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(time)),"
      + "SignedHeaders=\(request.signedHeaders),Signature=\(signature)"
  }

  /// The query of a presigned URL: that of the request and, last, the signature.
  package func presignedQuery(of request: CanonicalRequest, at time: S3Timestamp, seconds: Int) -> String {
    var request = request
    request.query += [
      ("X-Amz-Algorithm", Self.algorithm),
      ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(time))"),
      ("X-Amz-Date", time.basicText),
      ("X-Amz-Expires", "\(seconds)"),
      ("X-Amz-SignedHeaders", request.signedHeaders),
    ]
    return "\(request.canonicalQuery)&X-Amz-Signature=\(signature(of: request, at: time))"
  }

  private func signature(of request: CanonicalRequest, at time: S3Timestamp) -> String {
    let hash = SHA256.hash(data: Array(request.text.utf8)).hexadecimal
    let stringToSign = "\(Self.algorithm)\n\(time.basicText)\n\(scope(time))\n\(hash)"
    let key = key(ofDay: String(time.basicText.prefix(8)))
    return HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key).hexadecimal
  }

  private func scope(_ time: S3Timestamp) -> String {
    "\(time.basicText.prefix(8))/\(region)/\(service)/aws4_request"
  }

  private func key(ofDay day: String) -> SymmetricKey {
    signingKey.withLock { cached in
      if let cached, cached.day == day { return cached.key }
      var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
      for step in [day, region, service, "aws4_request"] {
        key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(step.utf8), using: key))
      }
      cached = (day, key)
      return key
    }
  }
}
