import Testing
import UploadCore

@Suite struct ReprDigestTests {
  /// RFC 9530 appendix B.1: {"hello": "world"} with a line feed.
  static let example = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
  static let counting = "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:"
  static let other =
    "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"

  @Test(arguments: [
    counting, " \(counting)", "\(counting) ", "\(other), \(counting)", "\(counting),\(other)",
    "\(counting)\t,\t\(other)", "md5=:AAAA:, \(counting)",
    "\(counting);a", "\(counting);a=1;b=\"x, y\\\"\";c=?1; d=:AAAA:;e=tok/en", "\(example), \(counting)",
    "x=:AA==:;q=\"sha-256=:\", \(counting)",
    // Padding that is not there, and bits of it that are not zero: RFC 9651 section 4.2.7.
    "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8:", "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=:",
  ])
  func `finds sha-256`(header: String) throws {
    #expect(try ReprDigest.parseSHA256(header) == Array(0..<32))
  }

  @Test(arguments: ["", " ", other, "md5=:AAAA:", "sha-256x=:AAAA:", "*=:AA==:, a.b_c-d*=::"])
  func `no sha-256`(header: String) throws {
    #expect(try ReprDigest.parseSHA256(header) == nil)
  }

  @Test(arguments: [
    "sha-256", "sha-256=", "sha-256=:", "sha-256=::", "sha-256=:AAAA:", "sha-256=abc", "sha-256=\"abc\"", "sha-256=1",
    "SHA-256=:AAAA:",
    "sha-256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "\(counting),", "\(counting) \(other)", "\(counting);", "\(counting)x", ",\(counting)", "\(other),,\(counting)",
    "\(counting);A", "\(counting);a=",
    "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==:",
    "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gA:",
    "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==:", "sha-256=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g:",
    "sha-256=:AAECAwQF BgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:", "sha-256=:AAEC-wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:",
    "sha-256=:=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:", "sha-512=:A:", "md5=1, \(counting)", "a, \(counting)",
    "(a b), \(counting)", "é",
    "sha-256 =:AAAA:", "\u{0}",
  ])
  func `malformed`(header: String) {
    do {
      let digest = try ReprDigest.parseSHA256(header)
      Issue.record("parsed as \(digest?.description ?? "nil")")
    } catch {
      guard case .badHeader("Repr-Digest", header, _) = error else {
        Issue.record("refused as \(error)")
        return
      }
    }
  }

  @Test func `formats`() throws {
    #expect(ReprDigest.format(sha256: Array(0..<32)) == Self.counting)
    let digest = try #require(try ReprDigest.parseSHA256(Self.example))
    #expect(digest.prefix(4) == [0x44, 0xAF, 0xF4, 0xAB])
    #expect(ReprDigest.format(sha256: digest) == Self.example)
  }

  /// RFC 4648 section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `base64`(plain: String, encoded: String) {
    #expect(ReprDigest.format(sha256: Array(plain.utf8)) == "sha-256=:\(encoded):")
  }

  @Test(arguments: Seed.all)
  func `parses what it formats`(seed: Seed) throws {
    var generator = seed.generator()
    for _ in 0..<500 {
      let digest = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
      try #require(try ReprDigest.parseSHA256(ReprDigest.format(sha256: digest)) == digest)
    }
  }
}
