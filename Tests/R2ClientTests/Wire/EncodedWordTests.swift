import R2Client
import Testing

struct EncodedWordTests {
  static let long = String(repeating: "Ünïcödé 文件 ", count: 40)

  @Test(arguments: [
    "", "plain.txt", "übung.txt", "文件.pdf", "=?UTF-8?B?eA==?=", " leading", "trailing ", "two  spaces", "a\nb", "👩‍👩‍👧",
    long,
    "=?", "a=b?c",
  ])
  func anyTextRoundTripsAsASCII(_ text: String) {
    let encoded = EncodedWord.encode(text)
    #expect(encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    #expect(encoded.split(separator: " ").allSatisfy { $0.utf8.count <= 75 } || encoded == text)
    #expect(EncodedWord.decode(encoded) == text)
  }

  @Test(arguments: [
    ("=?utf-8?q?=C3=BCbung_1?=", "übung 1"), ("plain =?UTF-8?B?w7w=?= plain", "plain ü plain"),
    ("=?UTF-8?B?w7w=?= =?UTF-8?B?w7w=?=", "üü"), ("=?UTF-8?B?!?=", "=?UTF-8?B?!?="),
    ("=?latin1?Q?a?=", "=?latin1?Q?a?="),
  ])
  func readsWhatOthersWrite(_ encoded: String, _ text: String) {
    #expect(EncodedWord.decode(encoded) == text)
  }
}
