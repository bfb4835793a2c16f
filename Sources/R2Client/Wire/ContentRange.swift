import NIOHTTP1

/// Which bytes of an object an answer brings.
struct ContentRange: Sendable {
  /// Of the whole object.
  let size: Int64
  let range: Range<Int64>

  init(_ headers: HTTPHeaders, status: Int, _ request: S3Request) throws {
    guard let length = headers.first(name: "content-length").flatMap({ Int64($0) }), length >= 0 else {
      throw request.failure(.malformedAnswer, "the answer has no length")
    }
    guard status == 206 else {
      size = length
      range = 0..<length
      return
    }
    let text = headers.first(name: "content-range") ?? ""
    let numbers = text.dropFirst("bytes ".count).split { $0 == "-" || $0 == "/" }.map { Int64($0) }
    guard text.hasPrefix("bytes "), numbers.count == 3, let first = numbers[0], let last = numbers[1],
      let size = numbers[2], 0 <= first, first <= last, last < size, last - first + 1 == length
    else { throw request.failure(.malformedAnswer, "the answer has no valid Content-Range") }
    self.size = size
    range = first..<(last + 1)
  }
}
