import Glibc
import NIOCore

/// Takes a multipart/form-data body apart (RFC 7578, RFC 2046 5.1) as its bytes come in.
///
/// Pure and incremental: feed it pieces of any size, it hands out events; it keeps at most one part header and one
/// boundary's length of bytes, whatever the size of the parts.
package struct MultipartParser {
  package enum Event: Equatable {
    /// A part begins; its header fields with lower-case names.
    case part(PartHeader)
    /// Bytes of the current part.
    case bytes(ByteBuffer)
    case partEnd
    /// The closing boundary; what follows is ignored (RFC 2046: epilogue).
    case end
  }

  /// The two fields of a part that mean something (RFC 7578, 4.2 and 4.4).
  package struct PartHeader: Equatable {
    package var fieldName: String?
    /// Present, even when empty, for a file.
    package var fileName: String?
    package var contentType: String?

    /// The part is a file: it says what it is called, or of what type it is. What says neither is a field of text.
    package var isFile: Bool { fileName != nil || contentType != nil }
  }

  package enum ParseError: Error, Equatable {
    case noBoundary
    case boundaryTooLong
    case headerTooLong
    case badPartHeader
    /// The file name is in no way of writing that is known.
    case badFileName
    /// A part that has parts.
    case nestedParts
    /// A part in an encoding of mail (RFC 7578, 4.7: not to be used).
    case encodedPart
    case notFinished
  }

  /// RFC 2046, 5.1.1.
  package static let maximumBoundaryLength = 70
  package static let maximumHeaderLength = 8 * 1024

  private enum State {
    case preamble, afterBoundary, header, content, finished
  }

  /// CR LF "--" boundary.
  private let delimiter: [UInt8]
  private var state = State.preamble
  private var pending = ByteBuffer()

  /// - Parameter contentType: the field of the request.
  package init(contentType: String) throws(ParseError) {
    let parameters = HeaderParameters(contentType)
    guard parameters.isWellFormed, let boundary = parameters.parameters["boundary"], !boundary.isEmpty else {
      throw .noBoundary
    }
    guard boundary.utf8.count <= Self.maximumBoundaryLength else { throw .boundaryTooLong }
    guard boundary.utf8.allSatisfy(Self.isBoundaryByte), boundary.last != " " else { throw .noBoundary }
    delimiter = Array("\r\n--\(boundary)".utf8)
    // The first boundary may stand at the very beginning, without a line end before it.
    pending.writeStaticString("\r\n")
  }

  /// RFC 2046, 5.1.1: bchars.
  private static func isBoundaryByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 48...57: true
    default: "'()+_,-./:=? ".utf8.contains(byte)
    }
  }

  package mutating func append(_ bytes: ByteBuffer) {
    pending.discardReadBytes()
    pending.writeImmutableBuffer(bytes)
  }

  /// The next event, nil when more bytes are needed.
  package mutating func next() throws(ParseError) -> Event? {
    switch state {
    case .preamble:
      while let index = find(delimiter) {
        switch follower(of: index) {
        case .unknown:
          pending.moveReaderIndex(forwardBy: index)
          return nil
        case .content:
          pending.moveReaderIndex(forwardBy: index + 2)
        case .boundary:
          pending.moveReaderIndex(forwardBy: index + delimiter.count)
          state = .afterBoundary
          return try next()
        }
      }
      dropAllBut(delimiter.count - 1)
      return nil
    case .afterBoundary:
      return try afterBoundary()
    case .header:
      return try header()
    case .content:
      return content()
    case .finished:
      pending.clear()
      return nil
    }
  }

  /// Must be called when the body has ended.
  package func finish() throws(ParseError) {
    guard state == .finished else { throw .notFinished }
  }

  /// What stands behind the delimiter that begins at `index`.
  private enum Follower {
    case boundary
    /// Something else: a line of the content that happens to begin like the boundary.
    case content
    /// Not enough bytes yet.
    case unknown
  }

  /// White space that may follow a boundary on its line (RFC 2046: transport padding).
  private static let maximumPadding = 64

  private func follower(of index: Int) -> Follower {
    let rest = pending.readableBytesView.dropFirst(index + delimiter.count)
    if rest.starts(with: [45, 45]) { return .boundary }
    if rest.count < 2, rest.allSatisfy({ $0 == 45 }) { return .unknown }
    let padding = rest.prefix(Self.maximumPadding + 1).prefix { $0 == 32 || $0 == 9 }.count
    let line = rest.dropFirst(padding).prefix(2)
    if padding > Self.maximumPadding { return .content }
    if line.elementsEqual([13, 10]) { return .boundary }
    return line.isEmpty || line.elementsEqual([13]) ? .unknown : .content
  }

  private mutating func afterBoundary() throws(ParseError) -> Event? {
    // `follower` has seen what comes: "--" ends the body, else padding and a line end.
    if pending.readableBytesView.starts(with: [45, 45]) {
      state = .finished
      return .end
    }
    // Leave the line end: an empty header is then CR LF CR LF like every other.
    pending.moveReaderIndex(forwardBy: pending.readableBytesView.prefix { $0 == 32 || $0 == 9 }.count)
    state = .header
    return try next()
  }

  private mutating func header() throws(ParseError) -> Event? {
    guard let index = find([13, 10, 13, 10]) else {
      guard pending.readableBytes <= Self.maximumHeaderLength else { throw .headerTooLong }
      return nil
    }
    guard index <= Self.maximumHeaderLength else { throw .headerTooLong }
    let bytes = pending.readSlice(length: index + 4).map { Array($0.readableBytesView) } ?? []
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .badPartHeader }
    state = .content
    return .part(try PartHeader(text))
  }

  private mutating func content() -> Event? {
    if let index = find(delimiter) {
      switch follower(of: index) {
      case .boundary where index == 0:
        pending.moveReaderIndex(forwardBy: delimiter.count)
        state = .afterBoundary
        return .partEnd
      case .boundary, .unknown:
        return index > 0 ? pending.readSlice(length: index).map { .bytes($0) } : nil
      case .content:
        // All such lines go out together: a body full of them must not become a write for each.
        return pending.readSlice(length: endOfContent(from: index + 2)).map { .bytes($0) }
      }
    }
    // What could be the beginning of a delimiter stays.
    let safe = pending.readableBytes - (delimiter.count - 1)
    return safe > 0 ? pending.readSlice(length: safe).map { .bytes($0) } : nil
  }

  /// Where the bytes end that are content for certain.
  private func endOfContent(from start: Int) -> Int {
    var start = start
    while let index = find(delimiter, from: start) {
      guard case .content = follower(of: index) else { return index }
      start = index + 2
    }
    return max(start, pending.readableBytes - (delimiter.count - 1))
  }

  private mutating func dropAllBut(_ count: Int) {
    if pending.readableBytes > count { pending.moveReaderIndex(forwardBy: pending.readableBytes - count) }
  }

  /// Where `pattern` begins in the pending bytes. Every pattern here begins with CR, which is rare: memchr jumps there.
  private func find(_ pattern: [UInt8], from start: Int = 0) -> Int? {
    pending.withUnsafeReadableBytes { bytes -> Int? in
      guard let base = bytes.baseAddress, let first = pattern.first else { return nil }
      var start = start
      while bytes.count - start >= pattern.count {
        let reach = bytes.count - start - pattern.count + 1
        guard let hit = memchr(base + start, CInt(first), reach) else { return nil }
        let index = UnsafeRawPointer(hit) - base
        if memcmp(base + index, pattern, pattern.count) == 0 { return index }
        start = index + 1
      }
      return nil
    }
  }
}

extension MultipartParser.PartHeader {
  init(_ text: String) throws(MultipartParser.ParseError) {
    var hasDisposition = false
    for line in text.split(separator: "\r\n") {
      guard let colon = line.firstIndex(of: ":") else { throw .badPartHeader }
      let name = line[..<colon].lowercased()
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      guard !value.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\t" || $0.value == 127 }) else {
        throw .badPartHeader
      }
      switch name {
      case "content-disposition":
        let disposition = HeaderParameters(String(value))
        guard disposition.value == "form-data", disposition.isWellFormed, !hasDisposition else { throw .badPartHeader }
        hasDisposition = true
        fieldName = disposition.parameters["name"]
        do throws(PartFileName.Unreadable) {
          fileName = try PartFileName.find(disposition.parameters)
        } catch {
          throw .badFileName
        }
      case "content-type":
        contentType = String(value)
        if value.prefix(10).lowercased() == "multipart/" { throw .nestedParts }
      case "content-transfer-encoding":
        guard ["binary", "8bit", "7bit", ""].contains(value.prefix(32).lowercased().filter { $0 != " " }) else {
          throw .encodedPart
        }
      default:
        break
      }
    }
    // RFC 7578, 4.2: every part has a name.
    guard fieldName != nil else { throw .badPartHeader }
  }
}
