import NIOCore
import NIOHTTP1

/// The head of a response as bytes (RFC 9112, 4 and 5).
package enum ResponseHead {
  /// A field that would break out of its line. No name or value that a client chose gets here unescaped; this is the net
  /// below.
  package struct InvalidField: Error {
    package let name: String
  }

  /// - Parameters:
  ///   - room: more bytes that the buffer is to hold: of a body that goes with it.
  /// - Throws: `InvalidField` (RFC 9110, 5.5 and 5.6.2).
  package static func bytes(
    _ status: HTTPResponseStatus, _ headers: HTTPHeaders, room: Int, _ allocator: ByteBufferAllocator
  ) throws -> ByteBuffer {
    let phrase = status.reasonPhrase
    let size = headers.reduce(32 + phrase.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    var buffer = allocator.buffer(capacity: size + room)
    try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
      var line = Line(space: space)
      line.put("HTTP/1.1 ")
      line.put(String(status.code), isAllowed: { _ in true })
      line.put(" ")
      line.put(phrase, isAllowed: isInValue)
      line.put("\r\n")
      for (name, value) in headers {
        line.put(name, isAllowed: isInName)
        line.put(": ")
        line.put(value, isAllowed: isInValue)
        line.put("\r\n")
        guard line.isValid else { throw InvalidField(name: name) }
      }
      line.put("\r\n")
      return line.count
    }
    return buffer
  }

  private struct Line {
    let space: UnsafeMutableRawBufferPointer
    var count = 0
    var isValid = true

    mutating func put(_ text: StaticString) {
      text.withUTF8Buffer { UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyBytes(from: $0) }
      count += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func put(_ text: String, isAllowed: (UInt8) -> Bool) {
      var text = text
      text.withUTF8 { bytes in
        for byte in bytes where !isAllowed(byte) { isValid = false }
        UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyBytes(from: bytes)
        count += bytes.count
      }
    }
  }

  @inline(__always)
  private static func isInName(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 && byte != UInt8(ascii: ":") }

  @inline(__always)
  private static func isInValue(_ byte: UInt8) -> Bool { byte >= 32 && byte != 127 || byte == UInt8(ascii: "\t") }
}
