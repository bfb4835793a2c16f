import NIOHTTP1

extension S3ObjectMetadata {
  init(_ headers: HTTPHeaders, size: Int64, _ request: S3Request) throws {
    guard let tag = headers.first(name: "etag") else {
      throw request.failure(.malformedAnswer, "the answer has no ETag")
    }
    self.init(
      size: size, eTag: S3ETag(tag),
      lastModified: headers.first(name: "last-modified").flatMap { S3Timestamp(httpDate: $0) },
      headers: S3ObjectHeaders(headers))
  }
}
