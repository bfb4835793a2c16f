import AsyncHTTPClient
public import NIOCore
import NIOHTTP1

// Operations on one object.
extension R2Client {
  /// PutObject: stores bytes that are in memory; at most 5 GiB.
  ///
  /// - Parameters:
  ///   - condition: only then, else 412.
  ///   - repeats: what may be tried again when the outcome of an attempt is not known.
  public func putObject(
    _ key: String, body: ByteBuffer, headers: S3ObjectHeaders = S3ObjectHeaders(), condition: S3WriteCondition? = nil,
    repeats: S3Repeats = .whenSafe
  ) async throws -> S3PutResult {
    var request = try request(.putObject, .PUT, key: key)
    request.body = body
    try headers.write(to: &request.headers, for: .putObject, key: key)
    request.set(condition, repeats, writeETags)
    let answer = try await send(request)
    return S3PutResult(eTag: try answer.eTag(request))
  }

  /// PutObject with a body that is written while it is sent, with back-pressure. Is repeated only when nothing was sent yet.
  ///
  /// - Parameters:
  ///   - contentLength: of the whole body in bytes; it must be exactly as long, else nothing is stored and `IncompleteBody`
  ///     is thrown.
  ///   - body: writes the bytes, in the task of the caller. What it throws ends the request and is thrown on; nothing is stored then.
  ///     When the request fails, the next write throws.
  public nonisolated(nonsending) func putObject(
    _ key: String, contentLength: Int64, headers: S3ObjectHeaders = S3ObjectHeaders(),
    condition: S3WriteCondition? = nil, repeats: S3Repeats = .whenSafe,
    body: (S3BodyWriter) async throws -> Void
  ) async throws -> S3PutResult {
    var request = try request(.putObject, .PUT, key: key)
    try headers.write(to: &request.headers, for: .putObject, key: key)
    request.set(condition, repeats, writeETags)
    let answer = try await send(request, contentLength: contentLength, body: body)
    return S3PutResult(eTag: try answer.eTag(request))
  }

  /// GetObject: the metadata, and the bytes as they come. Throws `NoSuchKey` (``S3Error/isNotFound``), `InvalidRange`, and
  /// 412 when `ifMatch` does not match. Only the head is repeated; continue a broken body by range and `ifMatch`.
  public func getObject(_ key: String, range: S3ByteRange? = nil, ifMatch: S3ETag? = nil) async throws -> S3Object {
    var request = try request(.getObject, .GET, key: key)
    if let range {
      if case .bytes(let bytes) = range, bytes.isEmpty {
        throw request.failure(.invalidArgument, "an empty range cannot be asked for")
      }
      request.headers.add(name: "range", value: range.headerValue)
    }
    if let ifMatch { request.headers.add(name: "if-match", value: ifMatch.quoted) }
    let answer = try await open(request)
    let part = try ContentRange(answer.headers, status: Int(answer.status.code), request)
    return S3Object(
      metadata: try S3ObjectMetadata(answer.headers, size: part.size, request), range: part.range,
      body: S3ResponseBody(body: answer.body, length: part.range.upperBound - part.range.lowerBound, request: request))
  }

  /// HeadObject: the metadata alone. The answer to a HEAD has no body, so 404 is `NoSuchKey` even without the bucket.
  public func headObject(_ key: String) async throws -> S3ObjectMetadata {
    let request = try request(.headObject, .HEAD, key: key)
    let answer = try await send(request)
    guard let size = answer.headers.first(name: "content-length").flatMap({ Int64($0) }) else {
      throw request.failure(.malformedAnswer, "the answer has no length")
    }
    return try S3ObjectMetadata(answer.headers, size: size, request)
  }

  /// DeleteObject. Deleting what is not there is no error.
  public func deleteObject(_ key: String) async throws {
    let request = try request(.deleteObject, .DELETE, key: key)
    do {
      _ = try await send(request)
    } catch let error as S3Error where error.code == .noSuchKey {
      return
    }
  }

  /// CopyObject within the bucket, headers and metadata included; at most 5 GiB.
  public func copyObject(from source: String, to key: String) async throws -> S3PutResult {
    var request = try request(.copyObject, .PUT, key: key)
    request.headers.add(name: "x-amz-copy-source", value: endpoint.copySource(source))
    let answer = try await send(request)
    let xml = try successful(answer, request, root: "CopyObjectResult")
    return S3PutResult(eTag: S3ETag(xml["ETag"]?.text ?? ""))
  }

  /// A request for a key that S3 allows: 1 to 1,024 bytes.
  func request(_ operation: S3Operation, _ method: HTTPMethod, key: String) throws -> S3Request {
    let request = S3Request(operation, method, key: key)
    guard (1...1024).contains(key.utf8.count) else {
      throw request.failure(.invalidArgument, "a key has 1 to 1,024 bytes")
    }
    return request
  }
}
