/// Base64 with the standard alphabet (RFC 4648 section 4). The standard library has none.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  /// With padding.
  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32((3 - group.count) * 8)
      for place in 0..<4 {
        let isPadding = place > group.count
        text.append(isPadding ? padding : alphabet[Int(bits >> UInt32(18 - place * 6) & 63)])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// `nil` for characters outside of the alphabet and impossible lengths. Padding that is not there and bits of it that
  /// are not zero are let pass, as RFC 9651 section 4.2.7 advises.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var digits = 0
    var paddings = 0
    for character in text {
      if character == padding {
        paddings += 1
        continue
      }
      guard paddings == 0, let digit = digit(character) else { return nil }
      bits = bits << 6 | digit
      digits += 1
      // Of 6, 12, 18, 24 bits all but the first make one more byte whole.
      if digits % 4 != 1 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32([0, 0, 4, 2][digits % 4]))) }
    }
    let missing = (4 - digits % 4) % 4
    guard missing != 3, paddings == 0 || paddings == missing else { return nil }
    return bytes
  }

  private static func digit(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
