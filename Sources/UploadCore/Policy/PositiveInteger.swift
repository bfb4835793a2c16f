/// The one form of number that the upload headers take.
enum PositiveInteger {
  /// ASCII digits, with spaces or tabs around; `nil` for anything else, for 0 and for more than `Int64.max`.
  ///
  /// Stricter than `Int64.init`, which takes a sign.
  static func parse(_ text: String) -> Int64? {
    var scanner = TextScanner(text)
    scanner.skipWhitespace()
    let digits = scanner.scanWhile(\.isASCIIDigit)
    scanner.skipWhitespace()
    guard scanner.isAtEnd, let number = Int64(String(decoding: digits, as: UTF8.self)), number > 0 else { return nil }
    return number
  }
}
