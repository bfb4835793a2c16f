/// The text of a setting or a secret, freed of what editors, shells and `kubectl create secret --from-file` add to it.
package enum SettingText {
  /// Without white space, line ends and byte order marks around it.
  package static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isPadding($0) }),
      let last = scalars.lastIndex(where: { !isPadding($0) })
    else { return "" }
    return String(scalars[first...last])
  }

  /// The text of a file that people write, without the byte order mark that editors put before it; nil when it is not UTF-8.
  package static func decoded(_ bytes: some Collection<UInt8>) -> String? {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    return String(validating: bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes.dropFirst(0), as: UTF8.self)
  }

  /// What is wrong with a trimmed text; nil when it is right.
  package static func problem(_ text: String) -> String? {
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 10, 13: return "has more than one line: set one"
      case 0..<32, 127..<160: return "has a control character: set it again without"
      case 0xFFFD: return "is not text in UTF-8: save it as UTF-8"
      case 0xFEFF: return "has a byte order mark in it: set it again without"
      default: continue
      }
    }
    return nil
  }

  private static func isPadding(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9...13, 32, 0x85, 0xA0, 0xFEFF, 0x2028, 0x2029: true
    default: false
    }
  }
}
