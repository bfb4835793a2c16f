/// A container image by digest.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
  /// Registry and repository.
  package var name: String
  /// `sha256:` and 64 hex digits.
  package var digest: String

  package init(name: String, digest: String) {
    self.name = name
    self.digest = digest
  }

  /// Has passed `ScalarForm.image`.
  init(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
    self.init(name: parts.first ?? "", digest: parts.count == 2 ? parts[1] : "")
  }

  package var description: String { "\(name)@\(digest)" }
}
