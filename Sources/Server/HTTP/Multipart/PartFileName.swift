/// The file name of a form part, in all the ways in which clients write it.
///
/// - `filename="…"`, raw UTF-8, a quote as `%22` (RFC 7578; browsers and curl)
/// - `filename*=utf-8''…` alone or beside the other, which it beats (RFC 5987; urllib3 before 1.25)
/// - `filename*0*=…; filename*1=…` (RFC 2231, continuations; libraries for mail)
/// - `filename="=?utf-8?B?…?="` (RFC 2047; old Java and Python)
enum PartFileName {
  /// The name is written in a way that cannot be read.
  struct Unreadable: Error {}

  /// - Returns: nil when the part names no file; empty when it does, and has no name for it.
  static func find(_ parameters: [String: String]) throws(Unreadable) -> String? {
    let plain = parameters["filename"]
    do throws(Unreadable) {
      if let extended = parameters["filename*"] { return try decodeExtended(extended) }
      if let continued = try continuation(parameters) { return continued }
    } catch {
      // Of two names the other may still be good.
      guard plain != nil else { throw error }
    }
    guard let plain else { return nil }
    // Browsers and curl write a quote in a name as %22 (WHATWG HTML, multipart/form-data encoding).
    return EncodedWords.decode(plain) ?? plain.replacing("%22", with: "\"")
  }

  /// RFC 8187, 3.2: `charset'language'percent-encoded`.
  private static func decodeExtended(_ value: String) throws(Unreadable) -> String {
    let fields = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let bytes = percentDecoded(fields[2].utf8),
      let text = text(bytes, charset: fields[0])
    else { throw Unreadable() }
    return text
  }

  /// RFC 2231, 3 and 4.1.
  private static func continuation(_ parameters: [String: String]) throws(Unreadable) -> String? {
    var charset: Substring = "utf-8"
    var bytes: [UInt8] = []
    var number = 0
    while true {
      if let extended = parameters["filename*\(number)*"] {
        var encoded = Substring(extended)
        if number == 0 {
          let fields = encoded.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
          guard fields.count == 3 else { throw Unreadable() }
          (charset, encoded) = (fields[0], fields[2])
        }
        guard let decoded = percentDecoded(encoded.utf8) else { throw Unreadable() }
        bytes += decoded
      } else if let plain = parameters["filename*\(number)"] {
        bytes += plain.utf8
      } else {
        break
      }
      number += 1
    }
    guard number > 0 else { return nil }
    guard let text = text(bytes, charset: charset) else { throw Unreadable() }
    return text
  }

  private static func percentDecoded(_ text: Substring.UTF8View) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
          return nil
        }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }

  /// Of the charsets the two that RFC 5987 asks for.
  static func text(_ bytes: [UInt8], charset: some StringProtocol) -> String? {
    switch charset.lowercased() {
    case "utf-8", "utf8", "us-ascii": String(validating: bytes, as: UTF8.self)
    case "iso-8859-1", "latin1": String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    default: nil
    }
  }
}

/// Words of mail headers (RFC 2047) that clients write into file names.
enum EncodedWords {
  /// - Returns: nil when the text is not made of such words alone, or of a charset that is not known: it stays as it is then.
  static func decode(_ text: String) -> String? {
    guard text.hasPrefix("=?"), text.hasSuffix("?=") else { return nil }
    var whole = ""
    for word in text.split(separator: " ") {
      let fields = word.split(separator: "?", omittingEmptySubsequences: false)
      guard fields.count == 5, fields[0] == "=", fields[4] == "=" else { return nil }
      let charset = fields[1].split(separator: "*").first ?? ""
      let bytes: [UInt8]?
      switch fields[2] {
      case "B", "b": bytes = base64(fields[3].utf8)
      case "Q", "q": bytes = quotedPrintable(fields[3].utf8)
      default: return nil
      }
      guard let bytes, let decoded = PartFileName.text(bytes, charset: charset) else { return nil }
      whole += decoded
    }
    return whole
  }

  private static func quotedPrintable(_ text: Substring.UTF8View) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "_"): bytes.append(32)
      case UInt8(ascii: "="):
        guard let high = rest.popFirst().flatMap(PartFileName.hexDigit),
          let low = rest.popFirst().flatMap(PartFileName.hexDigit)
        else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  private static func base64(_ text: Substring.UTF8View) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text where byte != UInt8(ascii: "=") {
      let value: UInt8
      switch byte {
      case 65...90: value = byte - 65
      case 97...122: value = byte - 71
      case 48...57: value = byte + 4
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }
}
