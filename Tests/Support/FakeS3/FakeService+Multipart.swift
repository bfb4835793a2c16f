import Crypto
import Foundation
import NIOCore
import NIOHTTP1

extension FakeService {
  func upload(_ key: String, _ request: FakeS3Request) throws -> FakeBucket.Upload {
    guard let upload = bucket.uploads[request[query: "uploadId"] ?? ""], upload.key == key else {
      throw FakeS3Reply.error(404, "NoSuchUpload", "there is no such upload")
    }
    return upload
  }

  mutating func createMultipartUpload(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    try checkMetadata(request)
    let id = bucket.newUploadID()
    bucket.uploads[id] = FakeBucket.Upload(
      key: key, headers: FakeBucket.kept(request.head.headers), created: Date())
    return .xml(
      "InitiateMultipartUploadResult", FakeS3Reply.element("Key", key) + FakeS3Reply.element("UploadId", id))
  }

  mutating func uploadPart(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    try checkLength(request)
    _ = try upload(key, request)
    guard let number = request[query: "partNumber"].flatMap({ Int($0) }), (1...10_000).contains(number) else {
      throw FakeS3Reply.error(400, "InvalidArgument", "parts are numbered from 1 to 10,000")
    }
    let part = FakeBucket.Part(body: request.body, eTag: FakeBucket.md5(request.body))
    bucket.uploads[request[query: "uploadId"] ?? ""]?.parts[number] = part
    return FakeS3Reply(headers: ["etag": "\"\(part.eTag)\""])
  }

  mutating func completeMultipartUpload(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    let upload = try upload(key, request)
    let wanted = FakeS3XML.all("Part", in: String(buffer: request.body)).map { part in
      (
        number: FakeS3XML.first("PartNumber", in: part).flatMap { Int($0) } ?? 0,
        eTag: FakeS3XML.unescaped(FakeS3XML.first("ETag", in: part) ?? "").replacing("\"", with: "")
      )
    }
    let parts = wanted.compactMap { part in upload.parts[part.number].flatMap { $0.eTag == part.eTag ? $0 : nil } }
    guard !parts.isEmpty, parts.count == wanted.count else {
      throw FakeS3Reply.error(400, "InvalidPart", "a part is missing")
    }
    guard zip(wanted, wanted.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
      throw FakeS3Reply.error(400, "InvalidPartOrder", "the parts are not in order")
    }
    try checkSizes(parts.map(\.body.readableBytes))
    try checkWriteRate(key)
    try checkConditions(key, request)
    var whole = ByteBuffer()
    var digests = Data()
    for var part in parts {
      digests += Data(Insecure.MD5.hash(data: Data(part.body.readableBytesView)))
      whole.writeBuffer(&part.body)
    }
    let eTag = "\(SignatureCheck.hex(Insecure.MD5.hash(data: digests)))-\(parts.count)"
    _ = written(key, whole, eTag, upload.headers)
    bucket.uploads[request[query: "uploadId"] ?? ""] = nil
    return .xml("CompleteMultipartUploadResult", FakeS3Reply.element("ETag", "\"\(eTag)\""))
  }

  func listParts(_ key: String, _ request: FakeS3Request) throws -> FakeS3Reply {
    let upload = try upload(key, request)
    let limit = min(request[query: "max-parts"].flatMap { Int($0) } ?? 1000, 1000)
    let marker = request[query: "part-number-marker"].flatMap { Int($0) } ?? 0
    let sorted = upload.parts.filter { $0.key > marker }.sorted { $0.key < $1.key }
    let page = sorted.prefix(limit)
    var content = "<IsTruncated>\(sorted.count > limit)</IsTruncated>"
    if let last = page.last { content += "<NextPartNumberMarker>\(last.key)</NextPartNumberMarker>" }
    for (number, part) in page {
      content += "<Part><PartNumber>\(number)</PartNumber>" + FakeS3Reply.element("ETag", "\"\(part.eTag)\"")
      content += "<Size>\(part.body.readableBytes)</Size></Part>"
    }
    return .xml("ListPartsResult", content)
  }

  /// R2: all parts are equal but the last, which is not larger (developers.cloudflare.com/r2/objects/multipart-objects).
  private func checkSizes(_ sizes: [Int]) throws {
    for size in sizes.dropLast() where size < rules.minimumPartSize {
      throw FakeS3Reply.error(400, "EntityTooSmall", "a part of \(size) bytes")
    }
    guard let first = sizes.first, let last = sizes.last, sizes.dropLast().allSatisfy({ $0 == first }), last <= first
    else { throw FakeS3Reply.error(400, "InvalidPart", "all parts but the last must have the same length") }
  }
}
