import Crypto
import FoundationEssentials
import UploadCore

/// What bashupload-r2 and bashupload-go have written about an object: flat keys such as `abc123.txt`, user metadata
/// `onetime`, `expirationtime`, `uploadtime`. Without metadata an object is one-time and ages from its last change.
package struct LegacyMetadata: Sendable, Hashable {
  package var expiresAt: Timestamp
  package var createdAt: Timestamp
  package var isOneTime: Bool

  /// - Parameters:
  ///   - metadata: names in lower case.
  ///   - maxAge: seconds that an object without an expiry lives.
  package init(_ metadata: [String: String], lastModified: Timestamp, maxAge: Int64) {
    createdAt = metadata["uploadtime"].flatMap(Self.instant) ?? lastModified
    let expiry = metadata["expirationtime"].flatMap(Self.instant)
    expiresAt = expiry ?? createdAt.adding(seconds: maxAge)
    switch metadata["onetime"]?.lowercased() {
    case "true", "1": isOneTime = true
    case "false", "0": isOneTime = false
    default: isOneTime = expiry == nil
    }
  }

  /// RFC 3339 with or without a fraction, or seconds or milliseconds since 1970.
  static func instant(_ text: String) -> Timestamp? {
    if let number = Int64(text) {
      return number < 100_000_000_000 ? Timestamp(seconds: number) : Timestamp(milliseconds: number)
    }
    for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
      if let date = try? style.parse(text) {
        return Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
      }
    }
    return nil
  }

  /// A key as those programs made them: one segment, and none of ours.
  package static func isKey(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    // No such program has made a name that begins with a dot; `/..` would be a path of the store.
    guard (1...128).contains(bytes.count), bytes.first != UInt8(ascii: "."), text != "favicon.ico",
      text != "robots.txt"
    else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
  }

  /// The id under which the object's claims are kept: its expiry as always, and the hash of its key instead of chance.
  ///
  /// The same on every node and after every start, because both come from what is stored. So claims of such objects
  /// expire and are cleaned like all others.
  package func id(ofKey key: String) -> UploadID? {
    let expiry = UploadID.firstKey(expiringAt: expiresAt).utf8.prefix(6)
    let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    let hash = SHA256.hash(data: Array(key.utf8)).prefix(10).map { digits[Int($0) % 36] }
    return UploadID(String(decoding: Array(expiry) + hash, as: UTF8.self))
  }
}
