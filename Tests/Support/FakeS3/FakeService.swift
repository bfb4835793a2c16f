import Foundation
import NIOCore
import NIOHTTP1

/// What the fake answers: the operations, under the rules, on one bucket.
struct FakeService: Sendable {
  let rules: FakeS3Rules
  var bucket = FakeBucket()

  init(_ rules: FakeS3Rules) {
    self.rules = rules
  }

  mutating func answer(_ request: FakeS3Request) -> FakeS3Reply {
    do {
      try SignatureCheck(rules: rules, request: request).check()
      guard request.bucket == rules.bucket else {
        throw FakeS3Reply.error(404, "NoSuchBucket", "there is no such bucket")
      }
      return try perform(request)
    } catch let reply as FakeS3Reply {
      return reply
    } catch {
      return .error(500, "InternalError", "\(error)")
    }
  }

  private mutating func perform(_ request: FakeS3Request) throws -> FakeS3Reply {
    let key = request.key ?? ""
    switch request.operation {
    case "PutObject": return try putObject(key, request)
    case "GetObject": return try getObject(key, request)
    case "HeadObject": return try headObject(key)
    case "CopyObject": return try copyObject(key, request)
    case "DeleteObject":
      bucket.objects[key] = nil
      return FakeS3Reply(.noContent)
    case "DeleteObjects": return deleteObjects(request)
    case "ListObjectsV2": return try listObjects(request)
    case "HeadBucket": return FakeS3Reply()
    case "CreateMultipartUpload": return try createMultipartUpload(key, request)
    case "UploadPart": return try uploadPart(key, request)
    case "CompleteMultipartUpload": return try completeMultipartUpload(key, request)
    case "AbortMultipartUpload":
      _ = try upload(key, request)
      bucket.uploads[request[query: "uploadId"] ?? ""] = nil
      return FakeS3Reply(.noContent)
    case "ListMultipartUploads": return listMultipartUploads(request)
    case "ListParts": return try listParts(key, request)
    default: throw FakeS3Reply.error(501, "NotImplemented", "there is no such operation")
    }
  }

  // MARK: objects

  private mutating func putObject(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    try checkLength(request)
    try checkMetadata(request)
    try checkWriteRate(key)
    try checkConditions(key, request)
    return written(key, request.body, FakeBucket.md5(request.body), FakeBucket.kept(request.head.headers))
  }

  private mutating func copyObject(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    let source = FakeS3Request.decoded(request[header: "x-amz-copy-source"] ?? "").drop { $0 == "/" }
    let sourceKey = String(source.dropFirst(rules.bucket.count + 1))
    guard source.hasPrefix("\(rules.bucket)/"), let object = bucket.objects[sourceKey] else {
      throw FakeS3Reply.error(404, "NoSuchKey", "there is no such object")
    }
    try checkWriteRate(key)
    _ = written(key, object.body, object.eTag, object.headers)
    return .xml("CopyObjectResult", FakeS3Reply.element("ETag", "\"\(object.eTag)\""))
  }

  mutating func written(_ key: String, _ body: ByteBuffer, _ eTag: String, _ headers: HTTPHeaders) -> FakeS3Reply {
    bucket.objects[key] = FakeBucket.Object(body: body, eTag: eTag, headers: headers, written: Date())
    bucket.lastWrite[key] = .now
    return FakeS3Reply(headers: ["etag": "\"\(eTag)\""])
  }

  private func object(_ key: String) throws -> FakeBucket.Object {
    guard let object = bucket.objects[key] else {
      throw FakeS3Reply.error(404, "NoSuchKey", "there is no such object")
    }
    return object
  }

  private func headObject(_ key: String) throws -> FakeS3Reply {
    let object = try object(key)
    var reply = FakeS3Reply(headers: Self.headers(object))
    reply.length = object.body.readableBytes
    return reply
  }

  private func getObject(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    let object = try object(key)
    if let wanted = request[header: "if-match"], wanted != "\"\(object.eTag)\"" {
      throw FakeS3Reply.error(412, "PreconditionFailed", "the object is another one")
    }
    var reply = FakeS3Reply(headers: Self.headers(object), body: object.body)
    guard let range = request[header: "range"] else { return reply }
    let size = object.body.readableBytes
    guard let part = Self.range(range, size: size),
      let slice = object.body.getSlice(at: part.lowerBound, length: part.count)
    else { throw FakeS3Reply.error(416, "InvalidRange", "the range lies outside the object") }
    reply.status = .partialContent
    reply.body = slice
    reply.headers.add(name: "content-range", value: "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)")
    return reply
  }

  private static func headers(_ object: FakeBucket.Object) -> HTTPHeaders {
    var headers = object.headers
    headers.add(name: "etag", value: "\"\(object.eTag)\"")
    headers.add(name: "last-modified", value: FakeBucket.httpDate(object.written))
    headers.add(name: "accept-ranges", value: "bytes")
    return headers
  }

  private static func range(_ text: String, size: Int) -> Range<Int>? {
    let sides = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard text.hasPrefix("bytes="), sides.count == 2 else { return nil }
    switch (sides[0], sides[1]) {
    case (nil, let last?): return size > 0 && last > 0 ? max(0, size - last)..<size : nil
    case (let first?, let last): return first < size ? first..<min(size, max(first, last ?? size - 1) + 1) : nil
    default: return nil
    }
  }

  // MARK: rules

  func checkLength(_ request: FakeS3Request) throws {
    if request[header: "content-length"] == nil {
      throw FakeS3Reply.error(411, "MissingContentLength", "the length is missing")
    }
  }

  func checkMetadata(_ request: FakeS3Request) throws {
    let prefix = "x-amz-meta-"
    let size = request.head.headers.reduce(0) { sum, header in
      header.name.lowercased().hasPrefix(prefix)
        ? sum + header.name.utf8.count - prefix.utf8.count + header.value.utf8.count : sum
    }
    if size > rules.metadataLimit {
      throw FakeS3Reply.error(400, "MetadataTooLarge", "\(size) bytes of metadata")
    }
  }

  func checkWriteRate(_ key: String) throws {
    if let interval = rules.writeInterval, let last = bucket.lastWrite[key], last.duration(to: .now) < interval {
      throw FakeS3Reply.error(429, "TooManyRequests", "this key was written less than \(interval) ago")
    }
  }

  func checkConditions(_ key: String, _ request: FakeS3Request) throws {
    let existing = bucket.objects[key]
    if let wanted = request[header: "if-match"] {
      guard let existing, wanted == "*" || wanted == "\"\(existing.eTag)\"" else {
        throw FakeS3Reply.error(412, "PreconditionFailed", "the object is another one")
      }
    }
    if let unwanted = request[header: "if-none-match"], let existing,
      unwanted == "*" || unwanted == "\"\(existing.eTag)\""
    {
      throw FakeS3Reply.error(412, "PreconditionFailed", "there is such an object")
    }
  }
}
