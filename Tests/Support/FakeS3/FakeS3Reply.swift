import NIOCore
import NIOHTTP1

/// An answer, whole in memory.
struct FakeS3Reply: Error, Sendable {
  var status: HTTPResponseStatus
  var headers = HTTPHeaders()
  var body = ByteBuffer()
  /// What a HEAD says without sending it.
  var length: Int?

  init(_ status: HTTPResponseStatus = .ok, headers: HTTPHeaders = HTTPHeaders(), body: ByteBuffer = ByteBuffer()) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  static func xml(_ name: String, _ content: String) -> FakeS3Reply {
    FakeS3Reply(
      headers: ["content-type": "application/xml"],
      body: ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?><\(name)>\(content)</\(name)>"))
  }

  static func error(_ status: Int, _ code: String, _ message: String = "") -> FakeS3Reply {
    var reply = xml("Error", element("Code", code) + element("Message", message))
    reply.status = HTTPResponseStatus(statusCode: status)
    return reply
  }

  static func element(_ name: String, _ text: String) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    return "<\(name)>\(escaped)</\(name)>"
  }
}
