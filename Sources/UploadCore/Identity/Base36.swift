/// Fixed-width numbers of the digits 0–9a–z. At a fixed width their text sorts like their value, which is what lets
/// a store that lists keys in lexicographic order list uploads by expiry.
enum Base36 {
  /// 36 to the power of `width`; `width` is at most 12, what 64 bits hold.
  static func count(width: Int) -> UInt64 {
    (0..<width).reduce(1) { product, _ in product * 36 }
  }

  /// The lowest `width` digits of `value`, and behind them those of a second number.
  static func text(_ value: UInt64, width: Int, _ second: UInt64 = 0, width secondWidth: Int = 0) -> String {
    String(unsafeUninitializedCapacity: width + secondWidth) { buffer in
      write(value, to: buffer, end: width, width)
      write(second, to: buffer, end: width + secondWidth, secondWidth)
      return width + secondWidth
    }
  }

  private static func write(_ value: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, end: Int, _ width: Int) {
    var rest = value
    var position = end
    while position > end - width {
      position -= 1
      let digit = UInt8(rest % 36)
      bytes[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
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
