/// Times as people write them: `90s`, `5m`, `24h`, `7d`, `1h30m`.
package enum DurationText {
  private static let units: [(letter: Character, seconds: Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]

  /// `nil` for anything that is not numbers with units, the larger unit first.
  package static func seconds(_ text: String) -> Int64? {
    var rest = text[...]
    var total: Int64 = 0
    var allowed = units[...]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard let number = Int64(digits), let letter = rest.popFirst(),
        let index = allowed.firstIndex(where: { $0.letter == letter })
      else { return nil }
      let (product, tooLarge) = number.multipliedReportingOverflow(by: allowed[index].seconds)
      let (sum, tooMuch) = total.addingReportingOverflow(product)
      if tooLarge || tooMuch { return nil }
      total = sum
      allowed = allowed[(index + 1)...]
    }
    return total
  }

  /// In the largest unit that is exact; 36500d rather than 10 years of our own.
  package static func text(_ seconds: Int64) -> String {
    for unit in units where seconds != 0 && seconds.isMultiple(of: unit.seconds) {
      return "\(seconds / unit.seconds)\(unit.letter)"
    }
    return "\(seconds)s"
  }

  /// For a number without a unit: the same seconds, also in the larger unit where it is exact.
  static func suggestion(_ seconds: Int64) -> String {
    let text = text(seconds)
    return text == "\(seconds)s" ? text : "\(seconds)s or \(text) if these are seconds"
  }
}
