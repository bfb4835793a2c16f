import NIOCore
import NIOHTTP1

/// Who asks, and under which URL we were reached: from the connection, or from a proxy that we trust.
///
/// Forwarded fields of anybody else are ignored: they would let a client forge its address and the URLs of its uploads. But
/// they, and what else only a proxy sends, say that the other end of the connection is many clients: none of them is known.
package struct ClientOrigin: Sendable, Hashable {
  /// The client's address; nil when it is not known for certain. Such a client is never the same as another.
  package var client: ClientAddress?
  /// The other end of the connection.
  package var peer: ClientAddress?
  /// Scheme and authority as the client wrote them; nil when the request does not say (HTTP/1.0 without Host).
  package var publicURL: PublicURL?
  /// Why the client is not known, for the log of the operator.
  package var doubt: String?

  package init(_ request: HTTPRequest, publicURL configured: PublicURL?, proxies: TrustedProxies) {
    peer = ClientAddress(parsing: request.peer)
    let isTrusted = proxies.contain(request.peer)
    if isTrusted {
      client = Self.forwardedClient(request.headers, proxies)
      if client == nil { doubt = "it comes through a proxy whose X-Forwarded-For names no client" }
    } else if let sign = Self.signOfProxy(request, configured, proxies) {
      doubt = sign
    } else {
      client = peer
    }
    if let configured {
      publicURL = configured
      return
    }
    var scheme = request.isSecure ? "https" : "http"
    var authority = request.authority
    if isTrusted {
      if let forwarded = Self.last(request.headers, "x-forwarded-proto")?.lowercased(),
        forwarded == "http" || forwarded == "https"
      {
        scheme = forwarded
      }
      if let forwarded = Self.last(request.headers, "x-forwarded-host"), Authority.isValid(forwarded) {
        authority = forwarded
      }
    }
    publicURL = authority.map { PublicURL(scheme: scheme, authority: $0) }
  }

  /// What limits count. A client that is not known shares no limit with others; but who connects from the internet is a
  /// client of its own, whatever it sends.
  package var limited: ClientAddress? {
    client ?? peer.flatMap { $0.isPublic ? $0 : nil }
  }

  /// For the log.
  package var text: String { client?.text ?? "unknown" }

  /// The rightmost address that is no trusted proxy: what stands left of it was written by the client itself. Nil when there
  /// is none: the nearest proxy did not say, or wrote something that is not an address.
  private static func forwardedClient(_ headers: HTTPHeaders, _ proxies: TrustedProxies) -> ClientAddress? {
    for hop in headers[canonicalForm: "x-forwarded-for"].reversed() {
      guard let address = ClientAddress(parsing: hop) else { return nil }
      if !proxies.contain(address.text) { return address }
    }
    return nil
  }

  /// What shows that the other end is a proxy, although none is trusted there.
  private static func signOfProxy(
    _ request: HTTPRequest, _ configured: PublicURL?, _ proxies: TrustedProxies
  ) -> String? {
    if proxies.areNone { return nil }
    if let field = proxyFields.first(where: { request.headers.contains(name: $0) }) {
      return "a proxy that is not in TRUSTED_PROXIES has sent it (\(field))"
    }
    // Who says under which URL the service is reached has put something in front of it, as a rule.
    if configured != nil, proxies.isUnset, !request.isSecure {
      return "PUBLIC_URL is set and TRUSTED_PROXIES is not"
    }
    // On the machine itself nobody but a proxy asks for another host.
    if let peer = ClientAddress(parsing: request.peer), peer.isLoopback, let authority = request.authority,
      !isLocal(authority)
    {
      return "it comes from this machine and asks for another host: a proxy that is not in TRUSTED_PROXIES"
    }
    return nil
  }

  /// Fields that proxies, load balancers and content networks add, and clients do not.
  private static let proxyFields = [
    "x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host", "x-forwarded-proto", "x-client-ip",
    "cf-connecting-ip", "true-client-ip", "fastly-client-ip", "x-envoy-external-address", "x-cluster-client-ip",
  ]

  private static func isLocal(_ authority: String) -> Bool {
    let host = authority.lowercased()
    if host == "localhost" || host.hasPrefix("localhost:") || host.hasSuffix(".localhost") { return true }
    return ClientAddress(parsing: host) != nil
  }

  /// The value that the nearest proxy wrote.
  private static func last(_ headers: HTTPHeaders, _ name: String) -> String? {
    headers[canonicalForm: name].last.map(String.init)
  }
}

/// The proxies whose forwarded fields are believed.
package enum TrustedProxies: Sendable, Hashable {
  /// Nothing was said.
  case unset
  /// There is no proxy: the other end of a connection is the client.
  case none
  case ranges([AddressRange])

  /// Addresses and CIDRs, comma separated, or `none`.
  package init?(parsing text: String) {
    if text.lowercased() == "none" {
      self = .none
      return
    }
    guard let ranges = AddressRange.list(text), !ranges.isEmpty else { return nil }
    self = .ranges(ranges)
  }

  package func contain(_ address: String) -> Bool {
    guard case .ranges(let ranges) = self else { return false }
    return ranges.contains { $0.contains(address) }
  }

  var isUnset: Bool { self == .unset }
  var areNone: Bool { self == .none }
}
