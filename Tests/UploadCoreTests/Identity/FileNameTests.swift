import Testing
import UploadCore

@Suite struct FileNameTests {
  @Test(arguments: [
    ("a", "a"), ("a.txt", "a.txt"), (" a b ", " a b "), ("...", "..."), (".bashrc", ".bashrc"), ("ü", "ü"),
    ("日本語.txt", "日本語.txt"), ("👩‍👩‍👧.png", "👩‍👩‍👧.png"), ("%41", "%41"), ("a+b", "a+b"),
    ("/etc/passwd", "passwd"), ("../../x", "x"), ("C:\\Users\\me\\x.doc", "x.doc"), ("a/b\\c", "c"), ("a\\b/c", "c"),
    ("..\\..\\x", "x"), ("/", nil), ("a/", nil), ("a\\", nil), ("", nil),
    // A separator stays one in front of a combining mark.
    ("dir/\u{301}x", "\u{301}x"), ("dir\\\u{301}x", "\u{301}x"),
    // Controls of a directory are not in the name.
    ("a\nb/c", "c"),
    // The other slashes of Unicode are no separators.
    ("a\u{2044}b", "a\u{2044}b"), ("a\u{FF0F}b", "a\u{FF0F}b"),
  ])
  func `takes the last component`(raw: String, name: String?) {
    #expect((try? FileName(raw))?.value == name)
  }

  @Test(arguments: ["", "/", "a/", "a\\", "\u{202E}", "/\u{200E}\u{200F}"])
  func `empty`(raw: String) {
    #expect(throws: FileNameError.empty) { try FileName(raw) }
  }

  @Test(arguments: [
    (".", "."), ("..", ".."), ("a/..", ".."), ("a\\.", "."), ("..\u{202E}", ".."), ("\u{2066}.\u{2069}.", ".."),
  ])
  func `directories`(raw: String, name: String) {
    #expect(throws: FileNameError.reserved(name)) { try FileName(raw) }
  }

  @Test func `all controls and line separators, and only these`() {
    let separators: Set<UInt32> = [0x2F, 0x5C]
    for value in UInt32(0)...0x2_100 {
      guard let scalar = Unicode.Scalar(value), !separators.contains(value) else { continue }
      let isControl = value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029
      let name = try? FileName("a\(scalar)b")
      #expect((name == nil) == isControl, "U+\(String(value, radix: 16))")
    }
    #expect(throws: FileNameError.controlCharacter) { try FileName("a\r\nb") }
    #expect(throws: FileNameError.controlCharacter) { try FileName("\u{0}") }
  }

  @Test func `drops what turns text around, and only this`() throws {
    let dropped = Set([0x061C, 0x200E, 0x200F] + Array(0x202A...0x202E) + Array(0x2066...0x2069))
    for value in Array(0x0600...0x0620) + Array(0x2000...0x2027) + Array(0x202A...0x2070) {
      let scalar = try #require(Unicode.Scalar(UInt32(value)))
      let name = try FileName("a\(scalar)b")
      #expect(name.value.unicodeScalars.count == (dropped.contains(value) ? 2 : 3), "U+\(String(value, radix: 16))")
    }
    #expect(try FileName("evil\u{202E}txt.exe").value == "eviltxt.exe")
  }

  @Test(arguments: [
    ("a", 255, true), ("a", 256, false), ("é", 127, true), ("é", 128, false), ("日", 85, true), ("日", 86, false),
  ])
  func `at most 255 bytes`(character: String, count: Int, fits: Bool) {
    let raw = String(repeating: character, count: count)
    let bytes = raw.utf8.count
    if fits {
      #expect((try? FileName(raw))?.value == raw)
    } else {
      #expect(throws: FileNameError.tooLong(bytes: bytes)) { try FileName(raw) }
    }
  }

  @Test func `the directory and dropped characters do not count`() throws {
    let name = String(repeating: "a", count: 255)
    #expect(try FileName("some/where/\u{202A}" + name).value == name)
  }

  @Test(arguments: [
    ("a.txt", "txt"), ("a.TXT", "txt"), ("a.b.c", "c"), ("a.tar.gz", "tar.gz"), ("A.TAR.XZ", "tar.xz"),
    ("a.tar", "tar"),
    ("tar.gz", "gz"), (".tar.gz", "gz"), ("a.gz", "gz"), ("a.tar.", nil), ("a.", nil), ("a", nil), (".bashrc", nil),
    ("..bashrc", nil), ("...", nil), (".config.json", "json"), ("a.1234567890", "1234567890"), ("a.12345678901", nil),
    ("a.t-t", nil), ("a.t t", nil), ("a.é", nil), ("日本.7z", "7z"), ("a .b", "b"), ("a.txt\u{301}", nil), ("v1.2", "2"),
    ("a.tar.t-t", nil), ("a.x.tar.gz", "tar.gz"),
  ])
  func `extension`(name: String, fileExtension: String?) throws {
    #expect(try FileName(name).fileExtension == fileExtension)
  }

  @Test(arguments: Seed.all)
  func `any text gives a safe name or none`(seed: Seed) throws {
    var generator = seed.generator()
    let alphabet = Array("ab./\\%é日\u{0}\n\u{7F}\u{85}\u{202E}\u{2028}\u{301}👩‍👧 ".unicodeScalars)
    var accepted = 0
    for _ in 0..<3_000 {
      var raw = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...8, using: &generator) {
        if let scalar = alphabet.randomElement(using: &generator) { raw.append(scalar) }
      }
      guard let name = try? FileName(String(raw)) else { continue }
      accepted += 1
      let value = name.value
      try #require(!value.isEmpty && value != "." && value != "..")
      try #require(!value.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 || $0 == "\u{2028}" })
      // A name of a name is the same name.
      try #require(try FileName(value).value.utf8.elementsEqual(value.utf8))
    }
    #expect(accepted > 300)
  }
}
