import CoreMetrics
import NIOCore
import NIOHTTP1
import Server
import Testing
import UploadCore

struct HTTPTests {
  private func request(
    _ uri: String = "/", method: HTTPMethod = .GET, version: HTTPVersion = .http1_1, peer: String = "192.0.2.1",
    _ headers: [(String, String)] = [("Host", "example.com")]
  ) throws -> HTTPRequest {
    let head = HTTPRequestHead(version: version, method: method, uri: uri, headers: HTTPHeaders(headers))
    return try HTTPRequest(
      head: head, peer: peer, isSecure: false, limits: ConnectionLimits())
  }

  @Test(arguments: [
    ("/a?b=c", "/a", "b=c"), ("http://h.example/x/y", "/x/y", ""), ("HTTP://h.example", "/", ""),
    ("https://h:1?q", "/", "q"),
  ])
  func targets(_ uri: String, _ path: String, _ query: String) throws {
    let request = try request(uri)
    #expect(request.path == path && request.query == query)
  }

  @Test(arguments: ["a", "*", "ftp://x/", "//\u{20}", "/a#b"].filter { $0 != "//\u{20}" })
  func badTargets(_ uri: String) {
    #expect(throws: Failure.self) { try request(uri) }
  }

  @Test(arguments: [
    [("Host", "a"), ("Host", "b")], [("Host", "a/b")], [("Host", "a b")], [], [("Host", "a\"b")],
    [("Host", "a"), ("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
    [("Host", "a"), ("Content-Length", "1"), ("Content-Length", "1")], [("Host", "a"), ("Content-Length", "-1")],
    [("Host", "a"), ("Content-Length", "+1")], [("Host", "a"), ("Content-Length", "0x10")],
    [("Host", "a"), ("Content-Length", "99999999999999999999")],
    [("Host", "a"), ("Transfer-Encoding", "gzip, chunked")],
    [("Host", "a"), ("Transfer-Encoding", "xchunked")],
  ])
  func badHeads(_ headers: [(String, String)]) {
    #expect(throws: Failure.self) { try request("/", method: .PUT, headers) }
  }

  @Test(arguments: [
    ([], AnswerFormat.text), (["*/*"], .text), (["application/json"], .json), (["text/uri-list"], .uriList),
    (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], .html),
    (["application/json;q=0.5, text/html"], .html),
    (["text/html;q=0.1, application/json"], .json), (["text/html;q=0"], .text), (["image/png"], .text),
    (["application/problem+json"], .json),
  ])
  func answerFormats(_ accept: [String], _ format: AnswerFormat) {
    #expect(AnswerFormat(accept: accept) == format)
  }

  @Test func forwardedFieldsOnlyFromTrustedProxies() throws {
    let forged: [(String, String)] = [
      ("Host", "real.example"), ("X-Forwarded-For", "1.1.1.1, 2.2.2.2"), ("X-Forwarded-Proto", "https"),
      ("X-Forwarded-Host", "evil.example"),
    ]
    let trusted = try #require(AddressRange.list("10.0.0.0/8"))
    let direct = ClientOrigin(try request(peer: "192.0.2.1", forged), publicURL: nil, trustedProxies: trusted)
    #expect(direct.address == "192.0.2.1" && direct.publicURL?.description == "http://real.example")
    let proxied = ClientOrigin(try request(peer: "10.0.0.1", forged), publicURL: nil, trustedProxies: trusted)
    #expect(proxied.address == "2.2.2.2" && proxied.publicURL?.description == "https://evil.example")
    let chain = [("Host", "h"), ("X-Forwarded-For", "1.1.1.1, 2.2.2.2, 10.0.0.7"), ("X-Forwarded-Host", "a<b")]
    let hop = ClientOrigin(try request(peer: "10.0.0.1", chain), publicURL: nil, trustedProxies: trusted)
    #expect(hop.address == "2.2.2.2" && hop.publicURL?.authority == "h")
    let fixed = ClientOrigin(
      try request(peer: "10.0.0.1", forged), publicURL: PublicURL(parsing: "https://b.example/"),
      trustedProxies: trusted)
    #expect(fixed.publicURL?.description == "https://b.example")
  }

  @Test func prometheusTextIsEscapedAndSorted() {
    let metrics = PrometheusMetrics()
    metrics.makeCounter(label: "b_total", dimensions: [("path", "a\"b\\c\nd")]).increment(by: 2)
    metrics.makeMeter(label: "a", dimensions: []).set(1.5)
    metrics.makeTimer(label: "t", dimensions: []).recordNanoseconds(2_000_000_000)
    #expect(
      metrics.text() == """
        # TYPE a gauge
        a 1.5
        # TYPE b_total counter
        b_total{path="a\\"b\\\\c\\nd"} 2
        # TYPE t_count counter
        t_count 1
        # TYPE t_sum counter
        t_sum 2

        """)
  }
}
