import NIOCore

extension FakeService {
  mutating func deleteObjects(_ request: FakeS3Request) -> FakeS3Reply {
    let text = String(buffer: request.body)
    let keys = FakeS3XML.all("Key", in: text).map(FakeS3XML.unescaped)
    guard !keys.isEmpty, keys.count <= 1000 else { return .error(400, "MalformedXML", "1 to 1,000 keys") }
    let locked = keys.filter { bucket.objects[$0]?.isLocked == true }
    for key in keys where !locked.contains(key) { bucket.objects[key] = nil }
    let isQuiet = FakeS3XML.first("Quiet", in: text) == "true"
    let deleted = isQuiet ? "" : keys.map { "<Deleted>\(FakeS3Reply.element("Key", $0))</Deleted>" }.joined()
    let refused = locked.map { "<Error>\(FakeS3Reply.element("Key", $0))<Code>AccessDenied</Code></Error>" }.joined()
    return .xml("DeleteResult", deleted + refused)
  }

  func listObjects(_ request: FakeS3Request) throws -> FakeS3Reply {
    let prefix = request[query: "prefix"] ?? ""
    let delimiter = request[query: "delimiter"].flatMap { $0.isEmpty ? nil : $0 }
    let limit = min(request[query: "max-keys"].flatMap { Int($0) } ?? 1000, 1000)
    let token = request[query: "continuation-token"]
    // A token names the last key ("k…") or the last common prefix ("p…") of the page before.
    let after = token.map { String($0.dropFirst()) } ?? request[query: "start-after"] ?? ""
    let skipped = token?.hasPrefix("p") == true ? after : nil

    var items: [(text: String, token: String)] = []
    var lastPrefix = skipped
    var isTruncated = false
    for key in bucket.objects.keys.filter({ $0.hasPrefix(prefix) }).sorted(by: FakeBucket.isBefore) {
      guard after.isEmpty || FakeBucket.isBefore(after, key) else { continue }
      if let lastPrefix, key.hasPrefix(lastPrefix) { continue }
      guard items.count < limit else {
        isTruncated = true
        break
      }
      if let delimiter, let end = key.dropFirst(prefix.count).firstRange(of: delimiter) {
        let common = String(key[..<end.upperBound])
        lastPrefix = common
        items.append(("<CommonPrefixes>\(Self.element("Prefix", encoded: common))</CommonPrefixes>", "p\(common)"))
      } else if let object = bucket.objects[key] {
        items.append((Self.contents(key, object), "k\(key)"))
      }
    }
    var content = "<EncodingType>url</EncodingType><IsTruncated>\(isTruncated)</IsTruncated>"
    if isTruncated, let last = items.last { content += FakeS3Reply.element("NextContinuationToken", last.token) }
    return .xml("ListBucketResult", content + items.map(\.text).joined())
  }

  func listMultipartUploads(_ request: FakeS3Request) -> FakeS3Reply {
    let prefix = request[query: "prefix"] ?? ""
    let limit = min(request[query: "max-uploads"].flatMap { Int($0) } ?? 1000, 1000)
    let marker = (request[query: "key-marker"] ?? "", request[query: "upload-id-marker"] ?? "")
    let sorted = bucket.uploads.filter { $0.value.key.hasPrefix(prefix) }
      .sorted { ($0.value.key, $0.key) < ($1.value.key, $1.key) }
      .filter { marker.0.isEmpty || ($0.value.key, $0.key) > marker }
    let page = sorted.prefix(limit)
    var content = "<IsTruncated>\(sorted.count > limit)</IsTruncated>"
    if sorted.count > limit, let last = page.last {
      content += FakeS3Reply.element("NextKeyMarker", last.value.key)
      content += FakeS3Reply.element("NextUploadIdMarker", last.key)
    }
    for (id, upload) in page {
      content += "<Upload>" + FakeS3Reply.element("Key", upload.key) + FakeS3Reply.element("UploadId", id)
      content += FakeS3Reply.element("Initiated", FakeBucket.rfc3339(upload.created)) + "</Upload>"
    }
    return .xml("ListMultipartUploadsResult", content)
  }

  private static func contents(_ key: String, _ object: FakeBucket.Object) -> String {
    "<Contents>" + element("Key", encoded: key) + FakeS3Reply.element("Size", "\(object.body.readableBytes)")
      + FakeS3Reply.element("ETag", "\"\(object.eTag)\"")
      + FakeS3Reply.element("LastModified", FakeBucket.rfc3339(object.written)) + "</Contents>"
  }

  private static func element(_ name: String, encoded text: String) -> String {
    "<\(name)>\(FakeS3Request.encoded(text, except: "/"))</\(name)>"
  }
}
