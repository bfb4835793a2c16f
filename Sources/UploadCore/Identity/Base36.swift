/// Fixed-width numbers of the digits 0–9a–z. At a fixed width their text sorts like their value, which is what lets
/// a store that lists keys in lexicographic order list uploads by expiry.
enum Base36 {
  private static let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)

  /// 36 to the power of `width`; `width` is at most 12, what 64 bits hold.
  static func count(width: Int) -> UInt64 {
    (0..<width).reduce(1) { product, _ in product * 36 }
  }

  /// Appends the lowest `width` digits of `value`.
  static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
    var rest = value
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(digits[0], count: width))
    for position in stride(from: start + width - 1, through: start, by: -1) {
      bytes[position] = digits[Int(rest % 36)]
      rest /= 36
    }
  }

  /// The value of a lowercase digit; uppercase is no digit here, else one upload would have several names.
  static func value(of digit: UInt8) -> UInt64? {
    if digit.isASCIIDigit { return UInt64(digit - UInt8(ascii: "0")) }
    if digit.isASCIILowercase { return UInt64(digit - UInt8(ascii: "a")) + 10 }
    return nil
  }
}
