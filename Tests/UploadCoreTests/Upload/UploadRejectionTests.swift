import Testing
import UploadCore

@Suite struct UploadRejectionTests {
  static let nasty = "a\"b\\c\r\nd\u{0}\u{1B}[31m\u{202E}\u{2028}" + String(repeating: "x", count: 200)

  static let examples: [(UploadRejection, String, [String])] = [
    (.tooLarge(limit: ByteCount(5 << 30), declared: 6 << 30), "too-large", ["5 GiB", "6 GiB"]),
    (.tooLarge(limit: ByteCount(5 << 30), declared: nil), "too-large", ["5 GiB"]),
    (
      .badHeader(name: "X-Max-Downloads", value: "x", requirement: "be 1 to 1000"), "bad-header",
      ["X-Max-Downloads", "\"x\"", "must be 1 to 1000"]
    ),
    (.badHeader(name: nasty, value: nasty, requirement: nasty), "bad-header", []),
    (
      .lifetimeAboveLimit(header: "Max-Days", seconds: 172_800, limit: 86_400), "lifetime-above-limit",
      ["Max-Days", "172800 seconds", "86400 seconds"]
    ),
    (.lifetimeAboveLimit(header: nasty, seconds: 2, limit: 1), "lifetime-above-limit", []),
    (.downloadsAboveLimit(1_001, limit: 1_000), "downloads-above-limit", ["1001", "1000"]),
    (.fileName(.tooLong(bytes: 300)), "bad-file-name", ["300", "255"]),
    (.fileName(.reserved(nasty)), "bad-file-name", []),
    (.noSpace(needed: 5 << 30, free: 1 << 30, keep: 1 << 20), "no-space", ["5 GiB", "1 GiB", "1 MiB"]),
    (.noSpace(needed: 1, free: -5, keep: 1 << 20), "no-space", ["0 B"]),
    (
      .quota(limit: ByteCount(10 << 30), used: ByteCount(9 << 30), needed: 2 << 30), "quota-exceeded",
      ["10 GiB", "9 GiB", "2 GiB"]
    ),
    (.lengthMismatch(declared: 10, received: 9), "length-mismatch", ["10 bytes", "9 bytes"]),
    (.digestMismatch, "digest-mismatch", ["sha-256", "Repr-Digest"]),
    (.unfinishedAtExpiry(noon), "unfinished-at-expiry", ["2026-11-22T15:04:05Z"]),
    (.expiryOutOfRange(noon), "expiry-out-of-range", ["2026-11-22T15:04:05Z"]),
  ]

  @Test(arguments: examples)
  func `says what is wrong with the numbers on one line`(rejection: UploadRejection, code: String, parts: [String]) {
    let message = rejection.message
    #expect(rejection.code == code)
    for part in parts { #expect(message.contains(part), "\(message)") }
    #expect(message.hasSuffix("."))
    for scalar in message.unicodeScalars {
      let isControl =
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value)
      #expect(!isControl, "U+\(String(scalar.value, radix: 16))")
    }
  }

  @Test func `codes are kebab case`() {
    for (rejection, _, _) in Self.examples {
      #expect(
        rejection.code.utf8.allSatisfy {
          $0 == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        })
    }
  }

  private func quoted(_ value: String) -> Substring {
    let message = UploadRejection.badHeader(name: "N", value: value, requirement: "R").message
    return message.dropFirst("The header N is \"".count).dropLast("\" but must R.".count)
  }

  @Test(arguments: [
    ("", ""), ("abc", "abc"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\u{A}b"), ("\u{1B}[0m", "\\u{1B}[0m"),
    ("\u{7F}", "\\u{7F}"), ("\u{202E}x", "\\u{202E}x"), ("\u{2028}", "\\u{2028}"), ("日本", "日本"), ("\u{85}", "\\u{85}"),
  ])
  func `values are escaped`(value: String, text: String) {
    #expect(quoted(value) == text)
  }

  @Test(arguments: [0, 1, 62, 63])
  func `short values are whole`(count: Int) {
    #expect(quoted(String(repeating: "x", count: count)).utf8.count == count)
  }

  @Test(arguments: [65, 66, 1_000])
  func `long values are cut to 64 characters`(count: Int) {
    let text = quoted(String(repeating: "x", count: count))
    #expect(text.count == 64)
    #expect(text.hasSuffix("x…"))
  }

  @Test func `64 characters stay whole`() {
    #expect(quoted(String(repeating: "x", count: 64)) == String(repeating: "x", count: 64))
  }

  @Test func `escapes are not cut in pieces and do not make a value longer`() {
    let text = quoted(String(repeating: "\u{1}", count: 100))
    #expect(text.count <= 64)
    #expect(text.hasSuffix("\\u{1}…"))
  }
}
