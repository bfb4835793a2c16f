import Testing
import UploadCore

@Suite struct FileNamePathTests {
  @Test(arguments: [
    ("/a", "a"), ("a", "a"), ("/a/b", "b"), ("/short/na%20me", "na me"), ("/a%20b%20%c3%bc.txt", "a b ü.txt"),
    ("/%41%4a%4A", "AJJ"), ("/a+b", "a+b"), ("/%2541", "%41"), ("/ü", "ü"), ("/%F0%9F%91%A9", "👩"),
    ("/a/b/", nil), ("/", nil), ("", nil), ("//", nil),
    // Only the last segment counts.
    ("/%zz/a", "a"), ("/a//b", "b"),
    // Encoded separators separate.
    ("/a%2Fb", "b"), ("/..%2f..%2fetc%2fpasswd", "passwd"), ("/a%5Cb", "b"),
    // Three bytes that are the shortest form of U+0800, next to the overlong ones below.
    ("/%E0%A0%80", "\u{800}"), ("/%F0%90%80%80", "\u{10000}"), ("/%F4%8F%BF%BF", "\u{10FFFF}"), ("/%C2%A0", "\u{A0}"),
  ])
  func `decodes the last segment`(path: String, name: String?) throws {
    #expect(try FileName.inPath(path)?.value == name)
  }

  @Test(arguments: [
    "/%", "/a%", "/a%4", "/%4g", "/%g4", "/%%41", "/%-1", "/%+1", "/% 1", "/%u0041",
    // Not UTF-8: lone continuation, cut short, 0xFF, Latin-1.
    "/%80", "/%BF", "/%C3", "/%E2%82", "/%F0%9F%91", "/%FF", "/%FE", "/caf%E9", "/%C3%28", "/%C3%C3",
    // Overlong forms of "/", "." and NUL.
    "/%C0%AF", "/%C1%9C", "/%C0%AE%C0%AE", "/%C0%80", "/%E0%80%AF", "/%E0%9F%BF", "/%F0%80%80%AF", "/%F0%8F%BF%BF",
    // Surrogates, alone and as a pair (CESU-8), and beyond U+10FFFF.
    "/%ED%A0%80", "/%ED%BF%BF", "/%ED%A0%BD%ED%B1%A9", "/%F4%90%80%80", "/%F5%80%80%80", "/%F8%88%80%80%80",
  ])
  func `bad encoding`(path: String) {
    #expect(throws: FileNameError.badEncoding) { try FileName.inPath(path) }
  }

  @Test(arguments: [
    ("/a/..", FileNameError.reserved("..")), ("/%2e%2E", .reserved("..")), ("/.", .reserved(".")),
    ("/a%2F", .empty), ("/%5c", .empty), ("/%00", .controlCharacter), ("/a%0D%0Ab", .controlCharacter),
    ("/a%7F", .controlCharacter), ("/%C2%85", .controlCharacter), ("/%E2%80%A8", .controlCharacter),
    ("/a%2F..", .reserved("..")), ("/%E2%80%AE", .empty),
  ])
  func `decoded names obey the rules of names`(path: String, error: FileNameError) {
    #expect(throws: error) { try FileName.inPath(path) }
  }

  @Test(arguments: [(255, true), (256, false)])
  func `the limit is that of the decoded name`(count: Int, fits: Bool) {
    let path = "/" + String(repeating: "%61", count: count)
    #expect(((try? FileName.inPath(path)) != nil) == fits)
  }

  @Test(arguments: Seed.all)
  func `every name survives percent-encoding`(seed: Seed) throws {
    var generator = seed.generator()
    let alphabet = Array("abcXYZ09 %?#&+ü日👩.-_~".unicodeScalars)
    let hex = Array("0123456789abcdefABCDEF")
    for _ in 0..<1_000 {
      var raw = "n"
      for _ in 0..<Int.random(in: 0...20, using: &generator) {
        if let scalar = alphabet.randomElement(using: &generator) { raw.unicodeScalars.append(scalar) }
      }
      var path = "/any/"
      for byte in raw.utf8 {
        let low =
          Int.random(in: 0...1, using: &generator) == 0
          ? hex[Int(byte & 15)] : Character(hex[Int(byte & 15)].uppercased())
        path += "%\(hex[Int(byte >> 4)])\(low)"
      }
      try #require(try FileName.inPath(path)?.value == raw)
    }
  }

  @Test func `messages are one line`() {
    let errors: [FileNameError] = [
      .empty, .reserved("a\n\u{202E}"), .controlCharacter, .tooLong(bytes: 300), .badEncoding,
    ]
    for error in errors {
      #expect(!error.message.unicodeScalars.contains { $0.value < 0x20 || $0 == "\u{202E}" }, "\(error)")
      #expect(error.message.hasSuffix("."))
    }
    #expect(FileNameError.tooLong(bytes: 300).message.contains("300"))
    #expect(FileNameError.tooLong(bytes: 300).message.contains("255"))
  }
}
