import NIOCore
import NIOHTTP1

/// One request head, with its target taken apart.
package struct HTTPRequest: Sendable {
  package let method: HTTPMethod
  /// The path of the target, still percent-encoded; begins with "/" (or is "*" for OPTIONS).
  package let path: String
  /// What follows "?", still encoded; empty without.
  package let query: String
  /// The authority of the target (absolute form) or of the Host field; validated, nil in HTTP/1.0 without Host.
  package let authority: String?
  package let headers: HTTPHeaders
  package let version: HTTPVersion
  /// The address of the other end of the TCP connection, a proxy's behind a proxy; empty when it has none.
  package let peer: String
  /// The connection itself is TLS.
  package let isSecure: Bool

  /// Content-Length in bytes, when the request has one.
  package let contentLength: Int64?
  /// A body of unknown length follows.
  package let isChunked: Bool

  /// A body follows, be it of a declared or an unknown length.
  package var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

  package init(head: HTTPRequestHead, peer: String, isSecure: Bool, limits: ConnectionLimits) throws(Failure) {
    guard head.uri.utf8.count <= limits.maximumTargetLength else {
      throw Failure(
        .uriTooLong, code: "target-too-long",
        "the request target has \(head.uri.utf8.count) bytes; the limit is \(limits.maximumTargetLength): shorten the file name"
      )
    }
    let fields = FramingFields(head.headers)
    guard fields.size <= limits.maximumHeaderSize, head.headers.count <= limits.maximumHeaderCount else {
      throw Failure.headerTooLarge(limits)
    }
    guard head.version.major == 1, head.version.minor <= 1 else {
      throw Failure(
        .httpVersionNotSupported, code: "http-version",
        "HTTP/\(head.version.major).\(head.version.minor) is not supported: use HTTP/1.1")
    }
    method = head.method
    version = head.version
    headers = head.headers
    contentLength = fields.contentLength
    isChunked = fields.isChunked
    self.peer = peer
    self.isSecure = isSecure
    let target = try Self.split(head.uri, method: head.method)
    path = target.path
    query = target.query
    guard fields.hosts <= 1 else {
      throw Failure.badRequest("bad-host", "the request has \(fields.hosts) Host fields: send one")
    }
    guard fields.hosts == 1 || head.version.minor == 0 else {
      throw Failure.badRequest("bad-host", "the request has no Host field: HTTP/1.1 needs one")
    }
    let authority = target.authority ?? fields.host
    if let authority, !Authority.isValid(authority) {
      throw Failure.badRequest("bad-host", "the Host field is not a host name with an optional port")
    }
    self.authority = authority
    // RFC 9112, 6.1: a message with both is a smuggling attempt or a broken client.
    if isChunked {
      guard fields.lengths == 0 else {
        throw Failure.badRequest(
          "two-lengths", "the request has both Content-Length and Transfer-Encoding: send one of them")
      }
      guard head.version.minor == 1 else {
        throw Failure.badRequest("bad-transfer-encoding", "Transfer-Encoding needs HTTP/1.1: send Content-Length")
      }
      let codings = headers[canonicalForm: "transfer-encoding"]
      guard codings.count == 1, codings[0].lowercased() == "chunked" else {
        throw Failure(
          .notImplemented, code: "bad-transfer-encoding",
          "the only Transfer-Encoding here is chunked: send that, or Content-Length")
      }
    }
    guard fields.lengths <= 1, (fields.contentLength != nil) == (fields.lengths == 1) else {
      throw Failure.badRequest("bad-length", "Content-Length must be one whole number of bytes")
    }
  }

  /// What every head is asked for, found in one pass.
  private struct FramingFields {
    /// Bytes of all names and values.
    var size = 0
    var hosts = 0
    var host: String?
    var lengths = 0
    /// nil also when it is no whole number.
    var contentLength: Int64?
    var isChunked = false

    init(_ headers: HTTPHeaders) {
      for (name, value) in headers {
        size += name.utf8.count + value.utf8.count
        switch name.utf8.count {
        case 4 where Self.isEqual(name, "host"):
          hosts += 1
          host = value
        case 14 where Self.isEqual(name, "content-length"):
          lengths += 1
          contentLength = value.utf8.allSatisfy { 48...57 ~= $0 } ? Int64(value) : nil
        case 17 where Self.isEqual(name, "transfer-encoding"):
          isChunked = true
        default: break
        }
      }
    }

    /// - Parameter lowerCase: what `name`, a token (RFC 9110, 5.6.2) of the same length, may be in any case.
    private static func isEqual(_ name: String, _ lowerCase: StaticString) -> Bool {
      lowerCase.withUTF8Buffer { expected in
        zip(name.utf8, expected).allSatisfy { $0 | 0x20 == $1 }
      }
    }
  }

  /// RFC 9112, 3.2: origin form, absolute form (which a server must accept), and `*` for OPTIONS.
  private static func split(
    _ uri: String, method: HTTPMethod
  ) throws(Failure) -> (authority: String?, path: String, query: String) {
    var rest = Substring(uri)
    var authority: String?
    if rest.utf8.first != UInt8(ascii: "/") {
      if rest == "*", method == .OPTIONS { return (nil, "*", "") }
      let lowered = rest.prefix(8).lowercased()
      guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
        throw Failure.badRequest("bad-target", "the request target must begin with / or http://")
      }
      rest = rest.dropFirst(lowered.hasPrefix("http://") ? 7 : 8)
      let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
      authority = String(rest[..<end])
      rest = rest[end...]
    }
    guard !rest.utf8.contains(UInt8(ascii: "#")) else {
      throw Failure.badRequest("bad-target", "the request target has a fragment (#): write %23 in a file name")
    }
    let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?"))
    let path = rest[..<(mark ?? rest.endIndex)]
    let query = mark.map { String(rest[rest.index(after: $0)...]) } ?? ""
    return (authority, path.isEmpty ? "/" : String(path), query)
  }
}

/// `host[:port]` as it may appear in a URL that we answer (RFC 3986, 3.2.2 and 3.2.3).
enum Authority {
  /// A registered name, an IPv4 address or a bracketed IPv6 address, and a port of 1 to 65535: nothing that could break
  /// out of a URL, a header or a page.
  static func isValid(_ text: some StringProtocol) -> Bool {
    guard text.utf8.count <= 262 else { return false }
    let host: Substring
    let rest: Substring
    let all = Substring(text)
    if all.utf8.first == UInt8(ascii: "[") {
      guard let end = all.utf8.firstIndex(of: UInt8(ascii: "]")) else { return false }
      host = all[all.index(after: all.startIndex)..<end]
      rest = all[all.index(after: end)...]
      guard AddressRange.addressBytes(String(host)) != nil, host.contains(":") else { return false }
    } else {
      host = Substring(all.utf8.prefix { $0 != UInt8(ascii: ":") })
      rest = all[host.endIndex...]
      guard !host.isEmpty, host.utf8.allSatisfy({ isNameByte($0) }) else { return false }
    }
    if rest.isEmpty { return true }
    let port = Substring(rest.utf8.dropFirst())
    guard rest.utf8.first == UInt8(ascii: ":"), (1...5).contains(port.utf8.count),
      port.utf8.allSatisfy({ (48...57).contains($0) }),
      let number = Int(port)
    else { return false }
    return (1...65_535).contains(number)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 48...57: true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}
