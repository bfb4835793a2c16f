import Foundation
import NIOCore
import Server
import TestKit
import Testing

struct MultipartParserTests {
  private static let type = "multipart/form-data; boundary=XX"

  /// Feeds a body in pieces of `size` and joins the bytes of each part.
  private func parse(_ body: String, pieces size: Int = .max, type: String = type) throws -> [(
    MultipartParser.PartHeader, String
  )] {
    var parser = try MultipartParser(contentType: type)
    var parts: [(MultipartParser.PartHeader, [UInt8])] = []
    var rest = Array(body.utf8)[...]
    var ended = false
    func drain() throws {
      while let event = try parser.next() {
        switch event {
        case .part(let header): parts.append((header, []))
        case .bytes(let bytes): parts[parts.count - 1].1 += bytes.readableBytesView
        case .partEnd: break
        case .end: ended = true
        }
      }
    }
    while !rest.isEmpty {
      let count = min(size, rest.count)
      parser.append(ByteBuffer(bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
      try drain()
    }
    try parser.finish()
    #expect(ended)
    return parts.map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
  }

  private static func part(_ name: String, _ content: String) -> String {
    "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\nContent-Type: text/plain\r\n\r\n\(content)\r\n"
  }

  /// Whatever the pieces, the parts are the same; contents that look like boundaries, empty parts and line ends included.
  @Test(arguments: 1...40)
  func piecesOfAnySize(_ size: Int) throws {
    let contents = [
      "", "hello", "\r\n", "--XX", "\r\n--X", "\r\n--", "a\r\n--XY\r\nb", "\r\n--XXY\r\n", "a\r\n--XX -- b",
      "\r\n--XX\r", "\r\n--XX-", "\r\n\r\n--X\r\n",
      String(repeating: "x", count: 300),
    ]
    let body =
      "preamble\r\n" + contents.enumerated().map { Self.part("n\($0.offset)", $0.element) }.joined()
      + "--XX--\r\nepilogue"
    let parts = try parse(body, pieces: size)
    #expect(parts.map(\.1) == contents)
    #expect(parts.map { $0.0.fileName } == contents.indices.map { "n\($0)" })
    #expect(parts.allSatisfy { $0.0.contentType == "text/plain" && $0.0.fieldName == "file" })
  }

  @Test func randomContents() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    let alphabet = Array("\r\n-Xab")
    for _ in 0..<500 {
      let contents = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        String((0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
          .replacingOccurrences(of: "\r\n--XX", with: "")
      }
      guard contents.allSatisfy({ !("\r\n" + $0).contains("\r\n--XX") }) else { continue }
      let body = contents.map { Self.part("f", $0) }.joined() + "--XX--"
      #expect(try parse(body, pieces: Int.random(in: 1...20, using: &random)).map(\.1) == contents)
    }
  }

  @Test(arguments: [
    ("form-data; name=\"a\"; filename=\"b.txt\"", "b.txt"),
    ("form-data; name=\"a\"; filename=\"a \\\"quoted\\\" name\"", "a \"quoted\" name"),
    ("form-data; name=\"a\"; filename=\"C:\\dir\\x.txt\"", "C:\\dir\\x.txt"),
    ("form-data; name=a; filename=plain", "plain"),
    ("form-data;name=\"a\";filename=\";semi=colon;.txt\"", ";semi=colon;.txt"),
    ("form-data; name=\"a\"; FILENAME=\"ü 名.txt\"", "ü 名.txt"),
    ("form-data; name=\"a\"; filename=\"\"", ""),
  ])
  func fileNames(_ disposition: String, _ name: String) throws {
    let parts = try parse("--XX\r\nContent-Disposition: \(disposition)\r\n\r\nx\r\n--XX--")
    #expect(parts.first?.0.fileName == name)
  }

  @Test(arguments: [
    ("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", MultipartParser.ParseError.notFinished),
    ("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX", .notFinished),
    ("", .notFinished),
    ("--XX\r\nno colon\r\n\r\nx\r\n--XX--", .badPartHeader),
    ("--XX\r\n\r\nx\r\n--XX--", .badPartHeader),
    ("--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--", .badPartHeader),
    ("--XX\r\nContent-Disposition: form-data; name=\"a\u{0}\"\r\n\r\nx\r\n--XX--", .badPartHeader),
  ])
  func brokenForms(_ body: String, _ error: MultipartParser.ParseError) throws {
    for size in [1, 7, 10_000] {
      #expect(throws: error) { try parse(body, pieces: size) }
    }
  }

  @Test func headerBombEndsEarly() throws {
    let body = "--XX\r\nX: " + String(repeating: "a", count: 20_000)
    #expect(throws: MultipartParser.ParseError.headerTooLong) { try parse(body, pieces: 1000) }
  }

  @Test(arguments: [
    ("multipart/form-data", MultipartParser.ParseError.noBoundary),
    ("multipart/form-data; boundary=", .noBoundary),
    ("multipart/form-data; boundary=\"\u{7}\"", .noBoundary),
    ("multipart/form-data; boundary=" + String(repeating: "b", count: 71), .boundaryTooLong),
  ])
  func badBoundaries(_ type: String, _ error: MultipartParser.ParseError) {
    #expect(throws: error) { _ = try MultipartParser(contentType: type) }
  }

  @Test func longestBoundary() throws {
    let boundary = String(repeating: "b", count: 70)
    let body = "--\(boundary)\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nx\r\n--\(boundary)--"
    #expect(try parse(body, type: "multipart/form-data; boundary=\"\(boundary)\"").map(\.1) == ["x"])
  }
}
