import NIOCore
import NIOHTTP1

/// A successful answer whose body, if any, is small and in memory.
struct S3Answer: Sendable {
  var headers: HTTPHeaders
  var body: ByteBuffer

  /// The answer's XML; throws `MalformedAnswer` when it is none.
  func xml(_ request: S3Request, root: String) throws -> XMLNode {
    guard let node = try? XMLReader.read(body.readableBytesView) else {
      throw request.failure(.malformedAnswer, "the answer is no XML")
    }
    guard node.name == root else {
      throw request.failure(.malformedAnswer, "the answer is <\(node.name)>, not <\(root)>")
    }
    return node
  }

  func eTag(_ request: S3Request) throws -> S3ETag {
    guard let text = headers.first(name: "etag") else {
      throw request.failure(.malformedAnswer, "the answer has no ETag")
    }
    return S3ETag(text)
  }
}
