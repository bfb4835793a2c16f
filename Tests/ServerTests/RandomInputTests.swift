import Foundation
import NIOCore
import NIOHTTP1
import Server
import TestKit
import Testing
import UploadCore

/// Feeds mutated and random input to everything that parses what strangers send. It must not crash, and what comes out
/// must keep its invariants. `FUZZ_SECONDS=600` (`make fuzz`) runs longer; `SEED` repeats.
struct RandomInputTests {
  private static let corpus: [String] = [
    "bytes=0-499", "bytes=-1", "bytes=0-0,-1", "bytes=9500-", "bytes=0-18446744073709551616", "bytes= 1 - 2 ,, 3-",
    "/a%20b/%E5%90%8D.tar.gz", "/..%2f..%2fetc%2fpasswd", "/%c0%af", "/%00", "/short/x", "\"abc\", W/\"d\"", "*",
    "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, sha-512=:YQ==:", "sha-256=:x:",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "multipart/form-data; boundary=\"a b\"; charset=x",
    "text/html;q=0.8, application/json;q=0.9,*/*", "form-data; name=\"a\"; filename=\"b\\\"c%22.txt\"", "10.0.0.0/8",
    "::ffff:1.2.3.4",
    "5GiB", "1.5e3", "http://h:1/x?y", "99999999999999999999", "-1", "٣", "1icuq8aet00qum6b",
    "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\nbody\r\n--XX--\r\n",
    "--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\r\n--XX\r\n\r\n--XX--",
  ]

  @Test func parsersSurviveAnything() throws {
    let environment = ProcessInfo.processInfo.environment
    let seconds = environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 3
    let seed = environment["SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let end = ContinuousClock.now + .seconds(seconds)
    var executions = 0
    while ContinuousClock.now < end {
      for _ in 0..<200 {
        let bytes = Self.input(&random)
        Self.tryStrings(bytes, &random)
        Self.tryMultipart(bytes, &random)
        executions += 1
      }
    }
    print("random input: \(executions) executions in \(Int(seconds)) s, seed \(seed)")
    #expect(executions >= 200)
  }

  private static func input(_ random: inout SeededRandom) -> [UInt8] {
    var bytes = Array((corpus.randomElement(using: &random) ?? "").utf8)
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0...5, using: &random) {
      case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
      case 1 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
      case 2 where at < bytes.count: bytes.remove(at: at)
      case 3: bytes.insert(contentsOf: Array((corpus.randomElement(using: &random) ?? "").utf8), at: at)
      case 4: bytes.removeSubrange(at...)
      default: bytes.insert(contentsOf: bytes.prefix(at), at: at)
      }
      if bytes.count > 4096 { bytes.removeSubrange(4096...) }
    }
    return bytes
  }

  private static func tryStrings(_ bytes: [UInt8], _ random: inout SeededRandom) {
    let text = String(decoding: bytes, as: UTF8.self)
    let size = Int64.random(in: 0...20_000, using: &random)
    if case .partial(let ranges) = RangeRequest.parse(text, size: size) {
      #expect(!ranges.isEmpty && ranges.allSatisfy { 0 <= $0.lowerBound && $0.upperBound < size }, "\(text)")
    }
    for name in [try? FileName(text), (try? FileName.inPath(text)) ?? nil] {
      guard let name else { continue }
      let scalars = name.value.unicodeScalars
      #expect(!name.value.isEmpty && name.value.utf8.count <= 255, "\(text)")
      #expect(!scalars.contains { $0 == "/" || $0 == "\\" || $0.value < 32 || $0.value == 127 }, "\(text)")
      #expect(name.value != "." && name.value != "..", "\(text)")
    }
    _ = try? ReprDigest.parseSHA256(text)
    if let time = Timestamp(httpDate: text) { #expect(Timestamp(httpDate: time.httpDate) == time) }
    if let id = UploadID(text) { #expect(id.description == text) }
    if let count = ByteCount(parsing: text) { #expect(count.bytes >= 0) }
    _ = Preconditions.evaluate(
      ifMatch: text, ifNoneMatch: text, ifModifiedSince: text, ifUnmodifiedSince: text, etag: "\"x\"",
      lastModified: Timestamp(seconds: 0))
    #expect(ContentType.choose(header: text, name: nil).utf8.allSatisfy { $0 >= 32 && $0 < 127 })
    _ = AnswerFormat(accept: [text], isBrowser: true)
    _ = HeaderParameters(text)
    _ = AddressRange(parsing: text)?.contains("10.0.0.1")
    _ = PublicURL(parsing: text)
    let head = HTTPRequestHead(
      version: .http1_1, method: .PUT, uri: text, headers: ["host": text, "content-length": text])
    if let request = try? HTTPRequest(head: head, peer: "", isSecure: false, limits: ConnectionLimits()) {
      #expect(request.path.hasPrefix("/"))
    }
  }

  private static func tryMultipart(_ bytes: [UInt8], _ random: inout SeededRandom) {
    guard var parser = try? MultipartParser(contentType: "multipart/form-data; boundary=XX") else { return }
    var rest = bytes[...]
    var given = 0
    do {
      while !rest.isEmpty {
        let count = min(rest.count, Int.random(in: 1...64, using: &random))
        parser.append(ByteBuffer(bytes: rest.prefix(count)))
        rest = rest.dropFirst(count)
        while let event = try parser.next() {
          if case .bytes(let part) = event { given += part.readableBytes }
        }
      }
      try parser.finish()
    } catch {}
    #expect(given <= bytes.count)
  }
}
