import NIOCore
import NIOHTTP1

/// A request, taken apart.
struct FakeS3Request: Sendable {
  var head: HTTPRequestHead
  var body = ByteBuffer()
  /// The decoded path without its slash: bucket, and after the next slash the key.
  var bucket: String
  var key: String?
  /// Decoded, in the order sent.
  var query: [(name: String, value: String)]

  init(_ head: HTTPRequestHead) {
    self.head = head
    let halves = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = Self.decoded(halves[0]).dropFirst()
    let slash = path.firstIndex(of: "/")
    bucket = String(slash.map { path[..<$0] } ?? path)
    key = slash.map { String(path[path.index(after: $0)...]) }.flatMap { $0.isEmpty ? nil : $0 }
    query =
      halves.count < 2
      ? []
      : halves[1].split(separator: "&").map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (Self.decoded(sides[0]), sides.count > 1 ? Self.decoded(sides[1]) : "")
      }
  }

  subscript(query name: String) -> String? {
    query.first { $0.name == name }?.value
  }

  subscript(header name: String) -> String? {
    head.headers.first(name: name)
  }

  /// The name of the operation in S3; nil when there is none like that.
  var operation: String? {
    switch (head.method, key != nil) {
    case (.PUT, true):
      if self[query: "partNumber"] != nil { return "UploadPart" }
      return self[header: "x-amz-copy-source"] != nil ? "CopyObject" : "PutObject"
    case (.GET, true): return self[query: "uploadId"] != nil ? "ListParts" : "GetObject"
    case (.HEAD, true): return "HeadObject"
    case (.DELETE, true): return self[query: "uploadId"] != nil ? "AbortMultipartUpload" : "DeleteObject"
    case (.POST, true):
      if self[query: "uploads"] != nil { return "CreateMultipartUpload" }
      return self[query: "uploadId"] != nil ? "CompleteMultipartUpload" : nil
    case (.GET, false): return self[query: "uploads"] != nil ? "ListMultipartUploads" : "ListObjectsV2"
    case (.HEAD, false): return "HeadBucket"
    case (.POST, false): return self[query: "delete"] != nil ? "DeleteObjects" : nil
    default: return nil
    }
  }

  static func decoded(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func encoded(_ text: String, except: String = "") -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~\(except)".utf8)
    return text.utf8.map { byte in
      let code = String(byte, radix: 16, uppercase: true)
      return plain.contains(byte) ? String(UnicodeScalar(byte)) : "%\(code.count == 1 ? "0" : "")\(code)"
    }.joined()
  }
}
