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
    #expect(AnswerFormat(accept: accept, isBrowser: true) == format)
    // The same from a program, which would save a page.
    #expect(AnswerFormat(accept: accept, isBrowser: false) != .html)
  }

  @Test func forwardedFieldsOnlyFromTrustedProxies() throws {
    let forged: [(String, String)] = [
      ("Host", "real.example"), ("X-Forwarded-For", "1.1.1.1, 2.2.2.2"), ("X-Forwarded-Proto", "https"),
      ("X-Forwarded-Host", "evil.example"),
    ]
    let trusted = try #require(TrustedProxies(parsing: "10.0.0.0/8"))
    let direct = ClientOrigin(try request(peer: "198.51.100.1", forged), publicURL: nil, proxies: trusted)
    #expect(direct.client == nil && direct.limited?.text == "198.51.100.1")
    #expect(direct.publicURL?.description == "http://real.example")
    let proxied = ClientOrigin(try request(peer: "10.0.0.1", forged), publicURL: nil, proxies: trusted)
    #expect(proxied.client?.text == "2.2.2.2" && proxied.publicURL?.description == "https://evil.example")
    let chain = [("Host", "h"), ("X-Forwarded-For", "1.1.1.1, 2.2.2.2, 10.0.0.7"), ("X-Forwarded-Host", "a<b")]
    let hop = ClientOrigin(try request(peer: "10.0.0.1", chain), publicURL: nil, proxies: trusted)
    #expect(hop.client?.text == "2.2.2.2" && hop.publicURL?.authority == "h")
    let fixed = ClientOrigin(
      try request(peer: "10.0.0.1", forged), publicURL: PublicURL(parsing: "https://b.example/"), proxies: trusted)
    #expect(fixed.publicURL?.description == "https://b.example")
    let alone = ClientOrigin(try request(peer: "198.51.100.1", forged), publicURL: nil, proxies: .none)
    #expect(alone.client?.text == "198.51.100.1" && alone.doubt == nil)
  }

  /// Behind a proxy that we do not know, and behind one whose word cannot be read, nobody is known.
  @Test(
    arguments: [
      ("127.0.0.1", [("Host", "127.0.0.1:3000"), ("X-Forwarded-For", "203.0.113.5")], nil, nil),
      ("10.0.0.1", [("Host", "h"), ("Via", "1.1 squid")], nil, nil),
      ("10.0.0.1", [("Host", "h")], "https://files.example", nil),
      ("127.0.0.1", [("Host", "files.example")], nil, nil),
      ("10.0.0.1", [("Host", "h")], nil, "10.0.0.0/8"),
      ("10.0.0.1", [("Host", "h"), ("X-Forwarded-For", "unknown")], nil, "10.0.0.0/8"),
      ("10.0.0.1", [("Host", "h"), ("X-Forwarded-For", "203.0.113.5, _hidden")], nil, "10.0.0.0/8"),
      ("10.0.0.1", [("Host", "h"), ("X-Forwarded-For", "10.0.0.2")], nil, "10.0.0.0/8"),
      ("127.0.0.1", [("Host", "h"), ("X-Forwarded-For", "203.0.113.5")], nil, "10.0.0.0/8"),
    ] as [(String, [(String, String)], String?, String?)])
  func unknownClients(
    _ peer: String, _ headers: [(String, String)], _ publicURL: String?, _ trusted: String?
  ) throws {
    let origin = ClientOrigin(
      try request(peer: peer, headers), publicURL: publicURL.flatMap { PublicURL(parsing: $0) },
      proxies: trusted.flatMap { TrustedProxies(parsing: $0) } ?? .unset)
    #expect(origin.client == nil && origin.limited == nil && origin.doubt != nil)
  }

  @Test(arguments: [
    ("203.0.113.5", "203.0.113.5"), ("203.0.113.5:51008", "203.0.113.5"), (" 203.0.113.5 ", "203.0.113.5"),
    ("\"203.0.113.5:1\"", "203.0.113.5"), ("[2001:db8::1]:443", "2001:db8::1"), ("[2001:DB8:0::1]", "2001:db8::1"),
    ("2001:db8::1", "2001:db8::1"), ("\"[2001:db8::1]\"", "2001:db8::1"), ("::ffff:203.0.113.5", "203.0.113.5"),
    ("[::ffff:203.0.113.5]:80", "203.0.113.5"), ("fe80::1%eth0", "fe80::1"), ("[fe80::1%25eth0]:1", "fe80::1"),
    ("2001:db8::1:443", "2001:db8::1:443"),
  ])
  func addressesAsProxiesWriteThem(_ text: String, _ address: String) {
    #expect(ClientAddress(parsing: text)?.text == address)
  }

  @Test(arguments: [
    "", " ", "unknown", "_hidden", "203.0.113", "203.0.113.5:", "203.0.113.5:x", "203.0.113.5:1234567", "[203.0.113.5]",
    "[2001:db8::1", "[2001:db8::1]443", "[]", "[]:1", ":80", "localhost", "203.0.113.5 80", "1.2.3.4.5", "%", "[%]",
    String(repeating: "1", count: 200),
  ])
  func invalidAddresses(_ text: String) {
    #expect(ClientAddress(parsing: text) == nil)
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
