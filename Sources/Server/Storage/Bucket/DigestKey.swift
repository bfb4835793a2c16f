import UploadCore

/// The key of the small object which holds the SHA-256 of a large upload: `c/<id>/digest`.
///
/// The metadata of a multipart upload are fixed before its digest is known. The digest lies among the claims, so that it
/// expires and is removed with them.
enum DigestKey {
  static func of(_ id: UploadID) -> String { "\(ClaimKey.prefix)\(id)/digest" }

  /// Which upload a key under `c/` belongs to, whatever it holds; nil for others, `c/legacy/…` among them.
  static func owner(_ key: String) -> UploadID? {
    let bytes = key.utf8
    guard bytes.starts(with: ClaimKey.prefix.utf8) else { return nil }
    let rest = bytes.dropFirst(ClaimKey.prefix.utf8.count)
    guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    return UploadID(Substring(rest[..<slash]))
  }
}
