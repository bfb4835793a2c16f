extension ByteCount: CustomStringConvertible {
  private static let binaryUnits: [(name: String, bytes: UInt64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
  ]

  private static let decimalUnits: [(name: String, bytes: UInt64)] = [
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
  ]

  /// `5 GiB`, `1.5 MiB`, `100 B`: the largest binary unit in which the number is exact with at most two decimals,
  /// else all the bytes (`1000001 B`). Never rounded: what it prints parses back to the same number.
  public var description: String {
    let magnitude = bytes.magnitude
    let sign = bytes < 0 ? "-" : ""
    for unit in Self.binaryUnits where magnitude >= unit.bytes {
      // The remainder is below 2^40, so times 100 fits.
      let hundredths = magnitude % unit.bytes * 100
      guard hundredths % unit.bytes == 0 else { continue }
      let whole = magnitude / unit.bytes
      // 97656.25 KiB would be exact, but 100000000 B is clearer.
      if hundredths > 0, whole >= 1_024 { continue }
      return "\(sign)\(whole)\(Self.decimals(hundredths / unit.bytes)) \(unit.name)"
    }
    return "\(bytes) B"
  }

  /// Only quarters of a power of two are exact with two decimals: 0, 25, 50, 75.
  private static func decimals(_ hundredths: UInt64) -> String {
    if hundredths == 0 { return "" }
    return hundredths == 50 ? ".5" : ".\(hundredths)"
  }

  /// Parses `5368709120`, `5GiB`, `64 KiB`, `100MB`, `1.5GiB`: digits, at most 18 decimals, a unit (B, KB, MB, GB, TB
  /// of powers of 1000; KiB, MiB, GiB, TiB of powers of 1024) in any case. Parts of a byte are cut off.
  ///
  /// `nil` for anything else: signs, exponents, unknown units, decimals of single bytes, more than `Int64.max` bytes.
  public init?(parsing text: String) {
    var scanner = TextScanner(text)
    scanner.skipWhitespace()
    let whole = scanner.scanWhile(\.isASCIIDigit)
    guard !whole.isEmpty, let wholeNumber = UInt64(String(decoding: whole, as: UTF8.self)) else { return nil }
    let fraction: ArraySlice<UInt8>? = scanner.scan(".") ? scanner.scanWhile(\.isASCIIDigit) : nil
    scanner.skipWhitespace()
    let unit = scanner.scanWhile(\.isASCIIAlphanumeric)
    scanner.skipWhitespace()
    guard scanner.isAtEnd, let unitBytes = Self.bytes(ofUnit: unit) else { return nil }

    let (product, overflow) = wholeNumber.multipliedReportingOverflow(by: unitBytes)
    guard !overflow, product <= UInt64(Int64.max) else { return nil }
    guard let fraction else {
      self.init(Int64(product))
      return
    }
    guard unitBytes > 1, let part = Self.part(fraction, of: unitBytes) else { return nil }
    let (sum, tooMuch) = Int64(product).addingReportingOverflow(part)
    guard !tooMuch else { return nil }
    self.init(sum)
  }

  private static func bytes(ofUnit name: ArraySlice<UInt8>) -> UInt64? {
    if name.isEmpty { return 1 }
    let lowercased = String(decoding: name, as: UTF8.self).lowercased()
    return (binaryUnits + decimalUnits).first { $0.name.lowercased() == lowercased }?.bytes
  }

  /// 0.`digits` of a unit, in whole bytes. Integers only: doubles would make 0.1 + 0.2 everybody's problem.
  private static func part(_ digits: ArraySlice<UInt8>, of unitBytes: UInt64) -> Int64? {
    guard (1...18).contains(digits.count), let number = UInt64(String(decoding: digits, as: UTF8.self)) else {
      return nil
    }
    let scale = (0..<digits.count).reduce(UInt64(1)) { product, _ in product * 10 }
    // number < scale, so the quotient is below unitBytes and the division cannot overflow.
    return Int64(scale.dividingFullWidth(number.multipliedFullWidth(by: unitBytes)).quotient)
  }
}
