/// The records of the domain.
package struct DNSSettings: Sendable {
  /// Who serves the zone.
  package enum Provider: Hashable, Sendable {
    case cloudflare(apiToken: SecretReference)
    case rfc2136(server: String, zone: String, keyName: String, keyAlgorithm: String, secret: SecretReference)
  }

  /// Which names there are.
  package enum Mode: String, Sendable { case roundRobin, regional }

  package var provider: Provider
  package var mode: Mode
  /// Seconds.
  package var ttl: Int64
  package var minRecords: Int
}
