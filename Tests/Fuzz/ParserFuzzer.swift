import NIOCore
import UploadCore

// A libFuzzer target over what parses bytes of strangers: part headers and multipart bodies, ranges, dates, digests,
// names, ids. Built and run by `make fuzz`, with the parsers' own sources instrumented.

/// The first byte chooses the parser, so that the corpus of one does not wander off into another.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzParsers(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let choice = UnsafeBufferPointer(start: start, count: count).first else { return 0 }
  let bytes = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(start: start, count: count).dropFirst())
  switch choice % 4 {
  case 0: fuzzMultipart(bytes)
  case 1: fuzzParameters(bytes)
  case 2: fuzzRanges(bytes)
  default: fuzzTexts(bytes)
  }
  return 0
}

private func fuzzMultipart(_ bytes: UnsafeBufferPointer<UInt8>) {
  guard let step = bytes.first, var parser = try? MultipartParser(contentType: "multipart/form-data; boundary=XX")
  else { return }
  var rest = bytes.dropFirst()
  var given = 0
  do {
    while !rest.isEmpty {
      parser.append(ByteBuffer(bytes: rest.prefix(Int(step) + 1)))
      rest = rest.dropFirst(Int(step) + 1)
      while let event = try parser.next() {
        if case .bytes(let part) = event { given += part.readableBytes }
      }
    }
    try parser.finish()
  } catch {}
  precondition(given <= bytes.count, "more bytes came out than went in")
}

private func fuzzParameters(_ bytes: UnsafeBufferPointer<UInt8>) {
  let text = String(decoding: bytes, as: UTF8.self)
  _ = HeaderParameters(text)
  _ = try? MultipartParser(contentType: text)
  let type = ContentType.choose(header: text, name: nil)
  precondition(type.utf8.allSatisfy { $0 >= 32 && $0 < 127 }, "a content type that breaks out of its field")
}

private func fuzzRanges(_ bytes: UnsafeBufferPointer<UInt8>) {
  guard bytes.count > 2 else { return }
  let size = Int64(bytes[0]) << 8 | Int64(bytes[1])
  let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
  if case .partial(let ranges) = RangeRequest.parse(text, size: size) {
    precondition(
      !ranges.isEmpty && ranges.allSatisfy { 0 <= $0.lowerBound && $0.upperBound < size }, "a range outside of the file"
    )
  }
  _ = Preconditions.evaluate(
    ifMatch: text, ifNoneMatch: text, ifModifiedSince: text, ifUnmodifiedSince: text, etag: "\"x\"",
    lastModified: Timestamp(seconds: 0))
}

private func fuzzTexts(_ bytes: UnsafeBufferPointer<UInt8>) {
  let text = String(decoding: bytes, as: UTF8.self)
  for name in [try? FileName(text), (try? FileName.inPath(text)) ?? nil] {
    guard let value = name?.value else { continue }
    precondition(!value.isEmpty && value.utf8.count <= 255 && value != "." && value != "..", "not a name")
    precondition(!value.utf8.contains { $0 == 47 || $0 == 92 || $0 < 32 || $0 == 127 }, "a name that is a path")
  }
  _ = try? ReprDigest.parseSHA256(text)
  if let time = Timestamp(httpDate: text) { precondition(Timestamp(httpDate: time.httpDate) == time, "date") }
  if let id = UploadID(text) { precondition(id.description == text, "id") }
  if let size = ByteCount(parsing: text) { precondition(size.bytes >= 0, "size") }
}
