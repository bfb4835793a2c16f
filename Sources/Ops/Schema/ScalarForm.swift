import UploadCore

/// How a single value is written.
package struct ScalarForm: Sendable {
  /// What it is, with an example: "a size such as 5GiB".
  package var phrase: String
  /// Written without quotes: numbers, true and false.
  var isBare = false
  /// What is wrong with a text and what to write instead; `nil`: nothing is.
  var complaint: @Sendable (String) -> String?

  init(_ phrase: String, isBare: Bool = false, _ complaint: @escaping @Sendable (String) -> String?) {
    self.phrase = phrase
    self.isBare = isBare
    self.complaint = complaint
  }

  /// A form that needs no more words than its phrase.
  init(_ phrase: String, where isValid: @escaping @Sendable (String) -> Bool) {
    self.init(phrase) { text in isValid(text) ? nil : "\"\(text)\" is not \(phrase)" }
  }

  static let flag = ScalarForm("true or false", isBare: true) { text in
    ["true", "false"].contains(text) ? nil : "\"\(text)\" is neither true nor false"
  }

  static func word(_ words: String...) -> ScalarForm {
    ScalarForm("one of \(words.joined(separator: ", "))") { text in
      words.contains(text) ? nil : "\"\(text)\" is unknown; \(Spelling.hint(text, of: words))"
    }
  }

  static func integer(_ range: ClosedRange<Int>) -> ScalarForm {
    let phrase = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return ScalarForm(phrase, isBare: true) { text in
      Int(text).map(range.contains) == true ? nil : "\"\(text)\" is not \(phrase)"
    }
  }

  /// Sizes have units: a bare number is a question (bytes? MiB?).
  static func size(_ range: ClosedRange<Int64>) -> ScalarForm {
    ScalarForm(
      "a size such as 5GiB or 100MB, from \(SizeText.short(range.lowerBound)) to \(SizeText.short(range.upperBound))"
    ) {
      text in
      if Int64(text) != nil { return "\"\(text)\" has no unit: write \(SizeText.suggestion(text))" }
      guard let size = ByteCount(parsing: text) else {
        return SizeText.correction(text).map { "\"\(text)\" is no size: write \($0)" }
          ?? "\"\(text)\" is no size: write a number and B, KiB, MiB, GiB, TiB, KB, MB, GB or TB, such as 5GiB"
      }
      return range.contains(size.bytes)
        ? nil
        : "\"\(text)\" is out of range: \(SizeText.short(range.lowerBound)) to \(SizeText.short(range.upperBound))"
    }
  }

  static func duration(_ range: ClosedRange<Int64>) -> ScalarForm {
    let limits = "\(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"
    return ScalarForm("a time such as 90s, 5m, 24h or 7d, from \(limits)") { text in
      if let number = Int64(text) {
        return "\"\(text)\" has no unit: write \(DurationText.suggestion(number))"
      }
      guard let seconds = DurationText.seconds(text) else {
        return "\"\(text)\" is no time: write a number and s, m, h or d, such as 90s or 24h"
      }
      return range.contains(seconds) ? nil : "\"\(text)\" is out of range: \(limits)"
    }
  }

  /// The content of a file, served byte by byte.
  static let fileText = ScalarForm("a text") { text in
    if text.isEmpty { return "is empty: write a text, or leave the key out" }
    // Control characters, and line ends that readers of YAML make a blank of.
    let strange = text.unicodeScalars.first {
      switch $0.value {
      case 9, 10, 13: false
      case ..<32, 0x7F...0x9F, 0x2028, 0x2029: true
      default: false
      }
    }
    return strange.map {
      let digits = String($0.value, radix: 16, uppercase: true)
      let padding = String(repeating: "0", count: max(0, 4 - digits.count))
      return "has the character U+\(padding)\(digits): write text, with \\n for a line end"
    }
  }

  static let text = ScalarForm("a text on one line") { text in
    if text.isEmpty { return "is empty: write a text, or leave the key out" }
    return text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? "has to be on one line" : nil
  }
}
