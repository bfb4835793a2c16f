import NIOCore
import NIOHTTP1

/// Who asks, and under which URL we were reached: from the connection, or from a proxy that we trust.
///
/// Forwarded fields of anybody else are ignored: they would let a client forge its address and the URLs of its uploads.
package struct ClientOrigin: Sendable, Hashable {
  /// The client's address, without port.
  package var address: String
  /// Scheme and authority as the client wrote them; nil when the request does not say (HTTP/1.0 without Host).
  package var publicURL: PublicURL?

  package init(_ request: HTTPRequest, publicURL configured: PublicURL?, trustedProxies: [AddressRange]) {
    let peer = request.peer
    let isTrusted = trustedProxies.contains { $0.contains(peer) }
    address = isTrusted ? Self.client(request.headers, peer: peer, trustedProxies) : peer
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

  /// The rightmost address that is no trusted proxy: what stands left of it was written by the client itself.
  private static func client(_ headers: HTTPHeaders, peer: String, _ trusted: [AddressRange]) -> String {
    var client = peer
    for hop in headers[canonicalForm: "x-forwarded-for"].reversed() {
      let address = String(hop)
      guard AddressRange.addressBytes(address) != nil else { return client }
      client = address
      if !trusted.contains(where: { $0.contains(address) }) { return client }
    }
    return client
  }

  /// The value that the nearest proxy wrote.
  private static func last(_ headers: HTTPHeaders, _ name: String) -> String? {
    headers[canonicalForm: name].last.map(String.init)
  }
}
