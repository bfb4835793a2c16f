import NIOCore

/// Sends the bytes of a blob to a client.
enum BlobSender {
  /// sendfile(2) in pieces of this size, so that the sender hears of a lost client in between.
  static let pieceSize: Int64 = 1024 * 1024
  /// Below this a copy costs less than a second system call.
  static let copySize: Int64 = 64 * 1024

  /// - Parameter willSend: told the size of each piece before it is sent.
  static func send(
    _ range: Range<Int64>, of reader: any BlobReader, to writer: ResponseWriter, willSend: (Int64) -> Void = { _ in }
  ) async throws {
    guard let file = reader.file, writer.canSendFile, range.count > Int(copySize) else {
      try await reader.read(range, allocator: writer.allocator) { bytes in
        willSend(Int64(bytes.readableBytes))
        try await writer.write(bytes)
      }
      return
    }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let end = min(offset + pieceSize, range.upperBound)
      willSend(end - offset)
      try await writer.sendFile(file, range: offset..<end)
      offset = end
    }
  }
}
