import NIOCore
import NIOHTTP1
import Server
import Testing

struct ResponseHeadTests {
  private static func text(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) throws -> String {
    String(buffer: try ResponseHead.bytes(status, headers, room: 10, ByteBufferAllocator()))
  }

  @Test func isOneLineForEachField() throws {
    #expect(
      try Self.text(.ok, ["content-length": "3", "x-a": "", "location": "http://h/ü\t\u{1F600} "])
        == "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-a: \r\nlocation: http://h/ü\t\u{1F600} \r\n\r\n")
    #expect(try Self.text(.noContent, [:]) == "HTTP/1.1 204 No Content\r\n\r\n")
    #expect(
      try Self.text(.custom(code: 499, reasonPhrase: "Gone Away"), [:]) == "HTTP/1.1 499 Gone Away\r\n\r\n")
  }

  /// Every byte that RFC 9110 (5.5, 5.6.2) forbids, at the beginning, in the middle and at the end.
  @Test func nothingBreaksOutOfItsLine() {
    for byte in UInt8.min...127 {
      let character = String(UnicodeScalar(byte))
      let isControl = byte < 32 && byte != UInt8(ascii: "\t") || byte == 127
      for text in [character + "ab", "a\(character)b", "ab" + character] {
        let refusesValue = (try? Self.text(.ok, ["x-a": text, "x-b": "b"])) == nil
        #expect(refusesValue == isControl, "value with byte \(byte)")
        let refusesName = (try? Self.text(.ok, [text: "a"])) == nil
        if isControl || " \t:".contains(character) { #expect(refusesName, "name with byte \(byte)") }
      }
    }
  }

  @Test func hasRoomForTheBody() throws {
    let head = try ResponseHead.bytes(.ok, ["a": "b"], room: 1000, ByteBufferAllocator())
    #expect(head.writableBytes >= 1000)
  }
}
