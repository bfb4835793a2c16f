import R2Client

/// A claim as it was read or written, with the tag that a change of it has to name.
package struct StoredClaim: Hashable, Sendable {
  package var claim: Claim
  package var eTag: S3ETag

  package init(claim: Claim, eTag: S3ETag) {
    self.claim = claim
    self.eTag = eTag
  }
}
