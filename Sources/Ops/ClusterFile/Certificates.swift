/// The certificate of the domain.
package struct Certificates: Sendable {
  /// Who signs.
  package enum Issuer: Hashable, Sendable {
    case letsEncrypt, letsEncryptStaging
    /// Another ACME service, by its directory URL.
    case server(String)
    /// A Secret that its owner renews.
    case secret(String)
  }

  package var issuer: Issuer
  package var email: String?
  package var profile: String
  package var cloudflareToken: SecretReference?
}
