import NIOCore

/// Reads a form from a request body: part by part, nothing ahead. Belongs to the task of its request.
final class FormReader {
  private var parser: MultipartParser
  private let body: RequestBody
  private var isInPart = false
  private var isFinished = false
  /// Bytes that belong to no file: boundaries, part headers, fields, preamble, epilogue.
  private var overhead = 0
  /// More of them than this is no form.
  private static let maximumOverhead = 1024 * 1024
  /// The first bytes of a part that somebody has looked at.
  private var peeked: ByteBuffer?

  init(parser: MultipartParser, body: RequestBody) {
    self.parser = parser
    self.body = body
  }

  /// The next part; skips what is left of the current one. Nil at the end of the form.
  func nextPart() async throws -> MultipartParser.PartHeader? {
    while let bytes = try await nextBytes() { overhead += bytes.readableBytes }
    while !isFinished {
      switch try await nextEvent() {
      case .part(let header):
        isInPart = true
        return header
      case .end:
        isFinished = true
        // The epilogue means nothing, but the next request begins behind it.
        while let bytes = try await body.next() { try count(bytes.readableBytes) }
      case .bytes, .partEnd:
        continue
      }
    }
    return nil
  }

  /// The next bytes of the current part, nil at its end.
  func nextBytes() async throws -> ByteBuffer? {
    if let bytes = peeked {
      peeked = nil
      return bytes
    }
    guard isInPart else { return nil }
    guard case .bytes(let bytes) = try await nextEvent() else {
      isInPart = false
      return nil
    }
    overhead -= bytes.readableBytes
    return bytes
  }

  /// Looks ahead: the current part has no bytes at all.
  func isPartEmpty() async throws -> Bool {
    peeked = try await nextBytes()
    return peeked == nil
  }

  private func nextEvent() async throws -> MultipartParser.Event {
    while true {
      if let event = try parser.next() { return event }
      guard let bytes = try await body.next() else {
        try parser.finish()
        return .end
      }
      try count(bytes.readableBytes)
      parser.append(bytes)
    }
  }

  private func count(_ bytes: Int) throws {
    overhead += bytes
    guard overhead <= Self.maximumOverhead else {
      throw Failure.badRequest(
        "form-too-large",
        "the form has more than \(Self.maximumOverhead) bytes outside its files: use curl -F file=@name")
    }
  }
}
