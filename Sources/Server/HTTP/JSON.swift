import FoundationEssentials
import NIOCore

extension Encodable {
  /// This value as one line of JSON with sorted keys, so that answers can be compared.
  func json(_ allocator: ByteBufferAllocator) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(self)
    var buffer = allocator.buffer(capacity: data.count + 1)
    buffer.writeBytes(data)
    buffer.writeInteger(UInt8(ascii: "\n"))
    return buffer
  }
}
