import Crypto

/// The password of the service. Kept as a digest, so that it cannot be printed and so that comparing takes the same
/// time for every guess of every length.
package struct Password: Sendable {
  private let digest: SHA256Digest

  package init(_ text: String) {
    digest = SHA256.hash(data: Array(text.utf8))
  }

  /// Constant time: swift-crypto compares digests that way.
  package func matches(_ guess: some Collection<UInt8>) -> Bool {
    SHA256.hash(data: Array(guess)) == digest
  }
}
