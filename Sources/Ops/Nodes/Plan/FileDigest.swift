import Crypto
import FoundationEssentials

/// SHA-256 as sha256sum prints it.
enum FileDigest {
  static func of(_ data: some DataProtocol) -> String {
    SHA256.hash(data: data).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  /// `nil` when there is no such file.
  static func of(file path: String) -> String? { FileManager.default.contents(atPath: path).map { of($0) } }
}
