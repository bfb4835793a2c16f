import Crypto
import Foundation
import NIOCore
import NIOHTTP1

/// A bucket in memory.
struct FakeBucket: Sendable {
  struct Object: Sendable {
    var body: ByteBuffer
    var eTag: String
    var headers: HTTPHeaders
    var written: Date

    /// Held by a lock of the bucket: stays, whoever deletes it. (Here a field of the metadata says so.)
    var isLocked: Bool { headers.contains(name: "x-amz-meta-locked") }
  }

  struct Upload: Sendable {
    var key: String
    var headers: HTTPHeaders
    var created: Date
    var parts: [Int: Part] = [:]
  }

  struct Part: Sendable {
    var body: ByteBuffer
    var eTag: String
  }

  var objects: [String: Object] = [:]
  var uploads: [String: Upload] = [:]
  var lastWrite: [String: ContinuousClock.Instant] = [:]
  private var uploadCount = 0

  init() {}

  /// The order of listings: by the bytes of the keys.
  static func isBefore(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  mutating func newUploadID() -> String {
    uploadCount += 1
    return "upload-\(uploadCount)-\(UUID().uuidString)"
  }

  static func md5(_ buffer: ByteBuffer) -> String {
    SignatureCheck.hex(Insecure.MD5.hash(data: Data(buffer.readableBytesView)))
  }

  /// What is kept of the headers of a request.
  static func kept(_ headers: HTTPHeaders) -> HTTPHeaders {
    let names: Set = ["content-type", "content-disposition", "cache-control", "content-encoding", "expires"]
    return HTTPHeaders(
      headers.filter { names.contains($0.name.lowercased()) || $0.name.lowercased().hasPrefix("x-amz-meta-") }
        .map { ($0.name.lowercased(), $0.value) })
  }

  static func httpDate(_ date: Date) -> String {
    text(date, "%a, %d %b %Y %H:%M:%S GMT")
  }

  static func rfc3339(_ date: Date) -> String {
    text(date, "%Y-%m-%dT%H:%M:%S.000Z")
  }

  private static func text(_ date: Date, _ format: String) -> String {
    var seconds = time_t(date.timeIntervalSince1970)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = bytes.withUnsafeMutableBytes { buffer in
      buffer.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress, $0.count, format, &fields) }
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
