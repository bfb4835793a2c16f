import NIOCore
import NIOHTTP1
import UploadCore

/// A multipart/byteranges response (RFC 9110, 14.6).
struct MultipleRanges {
  var ranges: [ClosedRange<Int64>]
  /// Of the whole blob.
  var size: Int64

  func send(_ reader: any BlobReader, _ headers: HTTPHeaders, _ writer: ResponseWriter) async throws {
    var random = SystemRandomNumberGenerator()
    let boundary = Hex.random128(using: &random)
    let type = headers.first(name: "content-type") ?? "application/octet-stream"
    let heads = ranges.map {
      "\r\n--\(boundary)\r\nContent-Type: \(type)\r\nContent-Range: \(ByteRange($0, size: size).contentRange)\r\n\r\n"
    }
    let end = "\r\n--\(boundary)--\r\n"
    let length = zip(heads, ranges).reduce(Int64(end.utf8.count)) { $0 + Int64($1.0.utf8.count) + Int64($1.1.count) }
    var headers = headers
    headers.replaceOrAdd(name: "content-type", value: "multipart/byteranges; boundary=\(boundary)")
    try writer.start(.partialContent, headers, length: length)
    for (head, range) in zip(heads, ranges) {
      try await writer.write(writer.allocator.buffer(string: head))
      try await BlobSender.send(range.lowerBound..<(range.upperBound + 1), of: reader, to: writer)
    }
    try await writer.write(writer.allocator.buffer(string: end))
    try await writer.finish()
  }
}
