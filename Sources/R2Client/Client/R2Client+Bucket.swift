import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1

// Operations on the bucket and on many objects.
extension R2Client {
  /// HeadBucket: whether the bucket is there and may be asked. Its errors have no body: see ``S3Error/explanation(_:)``.
  public func headBucket() async throws {
    _ = try await send(S3Request(.headBucket, .HEAD))
  }

  /// ListObjectsV2: one page of the objects, in the order of the bytes of their keys.
  ///
  /// - Parameters:
  ///   - prefix: only keys that begin so.
  ///   - delimiter: rolls up what lies between the prefix and its next occurrence into one common prefix.
  ///   - startAfter: begins after this key, which need not exist.
  ///   - continuationToken: of the page before.
  ///   - maxKeys: at most 1,000.
  public func listObjectsV2(
    prefix: String = "", delimiter: String? = nil, startAfter: String? = nil, continuationToken: String? = nil,
    maxKeys: Int = 1000
  ) async throws -> S3ObjectListing {
    var request = S3Request(.listObjectsV2, .GET)
    // Keys may hold characters that XML cannot; so they come percent encoded.
    request.query = [("list-type", "2"), ("encoding-type", "url"), ("max-keys", "\(maxKeys)"), ("prefix", prefix)]
    if let delimiter { request.query.append(("delimiter", delimiter)) }
    if let startAfter { request.query.append(("start-after", startAfter)) }
    if let continuationToken { request.query.append(("continuation-token", continuationToken)) }
    let xml = try await send(request).xml(request, root: "ListBucketResult")
    let isEncoded = xml["EncodingType"]?.text == "url"
    let isTruncated = xml["IsTruncated"]?.text == "true"
    let token = xml["NextContinuationToken"]?.text
    if isTruncated, token ?? "" == "" {
      throw request.failure(.malformedAnswer, "the listing goes on and does not say where")
    }
    return S3ObjectListing(
      objects: try xml.all("Contents").map { try Self.summary($0, isEncoded: isEncoded, request) },
      commonPrefixes: try xml.all("CommonPrefixes").map {
        try Self.key($0["Prefix"]?.text, isEncoded: isEncoded, request)
      },
      nextContinuationToken: isTruncated ? token : nil)
  }

  /// DeleteObjects: up to 1,000 keys in one request. Answers those that are still there, and why; none is success.
  ///
  /// Throws `InvalidArgument` for more keys than that, or for a key that XML cannot hold (control characters).
  public func deleteObjects(_ keys: [String]) async throws -> [S3DeleteFailure] {
    guard !keys.isEmpty else { return [] }
    var request = S3Request(.deleteObjects, .POST, query: [("delete", "")])
    guard keys.count <= 1000 else {
      throw request.failure(.invalidArgument, "\(keys.count) keys; at most 1,000 can be deleted at once")
    }
    let hasControl = keys.contains { key in
      key.unicodeScalars.contains { $0.value < 0x20 && !"\t\n\r".unicodeScalars.contains($0) }
    }
    guard !hasControl else {
      throw request.failure(.invalidArgument, "a key with control characters cannot be deleted in a batch")
    }
    let objects = keys.map { XMLNode("Object", children: [XMLNode("Key", $0)]) }
    let document = XMLNode("Delete", children: [XMLNode("Quiet", "true")] + objects).document
    request.body = ByteBuffer(string: document)
    request.headers.add(name: "content-type", value: "application/xml")
    let digest = Data(Insecure.MD5.hash(data: Array(document.utf8)))
    request.headers.add(name: "content-md5", value: digest.base64EncodedString())
    let answer = try await send(request)
    return try successful(answer, request, root: "DeleteResult").all("Error").map {
      S3DeleteFailure(
        key: $0["Key"]?.text ?? "", code: S3Error.Code(rawValue: $0["Code"]?.text ?? ""),
        message: $0["Message"]?.text ?? "")
    }
  }

  private static func summary(_ node: XMLNode, isEncoded: Bool, _ request: S3Request) throws -> S3ObjectSummary {
    guard let size = node["Size"].flatMap({ Int64($0.text) }) else {
      throw request.failure(.malformedAnswer, "an object of the listing has no size")
    }
    return S3ObjectSummary(
      key: try key(node["Key"]?.text, isEncoded: isEncoded, request), size: size,
      eTag: S3ETag(node["ETag"]?.text ?? ""),
      lastModified: node["LastModified"].flatMap { S3Timestamp(rfc3339: $0.text) })
  }

  static func key(_ text: String?, isEncoded: Bool, _ request: S3Request) throws -> String {
    guard let text, let key = isEncoded ? PercentEncoding.decode(text) : text else {
      throw request.failure(.malformedAnswer, "a key of the listing cannot be read")
    }
    return key
  }

  /// The XML of an answer with status 200, which S3 sends before it knows how the operation ends: an `<Error>` within is a
  /// failure all the same, and one of unknown outcome unless the code says that the request was refused.
  func successful(_ answer: S3Answer, _ request: S3Request, root: String) throws -> XMLNode {
    guard let xml = try? XMLReader.read(answer.body.readableBytesView) else {
      var error = request.failure(.malformedAnswer, "the answer is no XML")
      error.outcomeUnknown = request.operation.isWrite
      throw error
    }
    if xml.name == root { return xml }
    throw Self.lateFailure(xml, answer, request)
  }

  private static func lateFailure(_ xml: XMLNode, _ answer: S3Answer, _ request: S3Request) -> S3Error {
    let code = xml.name == "Error" ? xml["Code"]?.text ?? "" : ""
    var error = request.failure(
      code.isEmpty ? .malformedAnswer : S3Error.Code(rawValue: code), xml["Message"]?.text ?? "")
    error.status = 200
    error.requestID = answer.headers.first(name: "x-amz-request-id")
    let refusals: [S3Error.Code] = [.noSuchUpload, .invalidPart, .entityTooSmall, .preconditionFailed, .accessDenied]
    error.outcomeUnknown = request.operation.isWrite && !refusals.contains(error.code)
    return error
  }
}
