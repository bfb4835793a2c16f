import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1

/// Asks a MyUrls service for a short URL: `POST longUrl=<base64>`, answered with `{"Code":1,"ShortUrl":"…"}`.
struct ShortURLClient: Sendable {
  let service: String
  let client: HTTPClient
  let logger: Logger
  /// How long an upload's answer may wait for it.
  static let timeout = TimeAmount.seconds(3)

  private struct Answer: Decodable {
    var code: Int
    var shortURL: String?

    enum CodingKeys: String, CodingKey {
      case code = "Code"
      case shortURL = "ShortUrl"
    }
  }

  /// Nil when the service fails, takes too long, or answers something that is no URL.
  func shorten(_ url: String) async -> String? {
    var request = HTTPClientRequest(url: service)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
    let encoded = Data(url.utf8).base64EncodedString()
    request.body = .bytes(ByteBuffer(string: "longUrl=\(PercentEncoding.encode(encoded))"))
    do {
      let response = try await client.execute(request, timeout: Self.timeout)
      let body = try await response.body.collect(upTo: 64 * 1024)
      let answer = try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView))
      guard response.status == .ok, answer.code == 1, let short = answer.shortURL, Self.isURL(short) else {
        logger.warning(
          "the short URL service refused", metadata: ["status": "\(response.status.code)", "code": "\(answer.code)"])
        return nil
      }
      return short
    } catch {
      logger.warning("the short URL service failed", metadata: ["error": "\(error)"])
      return nil
    }
  }

  /// It goes into a header and a page: one line of visible ASCII.
  private static func isURL(_ text: String) -> Bool {
    (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.utf8.count <= 2048
      && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "\"") }
  }
}
