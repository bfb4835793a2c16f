import UploadCore

/// The Content-Disposition field (RFC 6266).
///
/// Always both forms of the name: curl 7.88 -OJ takes only `filename=`, browsers prefer `filename*=` (RFC 8187).
enum ContentDisposition {
  /// - Parameter attachment: save it; else the client may show it.
  static func value(_ name: FileName, attachment: Bool) -> String {
    "\(attachment ? "attachment" : "inline"); filename=\"\(ascii(name.value))\"; filename*=UTF-8''\(extended(name.value))"
  }

  /// A quoted string that old clients read: other characters become "_", and quotes, backslashes and percent signs too,
  /// because clients disagree about escapes.
  static func ascii(_ name: String) -> String {
    String(
      decoding: name.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\", "%": UInt8(ascii: "_")
        case " "..."~": UInt8(ascii: scalar)
        default: UInt8(ascii: "_")
        }
      }, as: UTF8.self)
  }

  /// RFC 8187, 3.2.1: attr-char as it is, every other byte percent-encoded.
  static func extended(_ name: String) -> String {
    PercentEncoding.encode(name, keeping: "!#$&+-.^_`|~")
  }
}

/// Percent-encoding (RFC 3986, 2.1).
enum PercentEncoding {
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// Encodes everything but letters, digits and `keeping`.
  static func encode(_ text: String, keeping: String = "-._~") -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        result.append(byte)
      case _ where keeping.utf8.contains(byte):
        result.append(byte)
      default:
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
