import Testing
import UploadCore

@Suite struct PreconditionsTests {
  static let etag = "\"abc\""
  static let before = "Sun, 22 Nov 2026 15:04:04 GMT"
  static let exactly = "Sun, 22 Nov 2026 15:04:05 GMT"
  static let after = "Sun, 22 Nov 2026 15:04:06 GMT"

  private func evaluate(
    match: String? = nil,
    noneMatch: String? = nil,
    modified: String? = nil,
    unmodified: String? = nil,
    etag: String = etag,
    lastModified: Timestamp = noon
  ) -> PreconditionOutcome {
    Preconditions.evaluate(
      ifMatch: match, ifNoneMatch: noneMatch, ifModifiedSince: modified, ifUnmodifiedSince: unmodified, etag: etag,
      lastModified: lastModified)
  }

  @Test func `without headers`() {
    #expect(evaluate() == .proceed)
  }

  @Test(
    arguments: [
      ("*", .proceed), ("\"abc\"", .proceed), ("\"x\", \"abc\"", .proceed), ("\"x\",,\"abc\",", .proceed),
      ("\"x,\", \"abc\"", .proceed), ("W/\"abc\"", .failed),
      ("\"x\"", .failed), ("abc", .failed), ("\"ABC\"", .failed), ("", .failed), ("\"abc", .failed),
      ("\"x\" \"abc\"", .failed), ("\"abc\", x", .failed), ("\"x,\"abc\"", .failed),
      ("\"a\\\"bc\"", .failed),
    ] as [(String, PreconditionOutcome)])
  func `If-Match compares strongly`(header: String, outcome: PreconditionOutcome) {
    #expect(evaluate(match: header) == outcome)
  }

  @Test(
    arguments: [
      ("*", .notModified), ("\"abc\"", .notModified), ("W/\"abc\"", .notModified), ("\"x\", W/\"abc\"", .notModified),
      ("\"x\"", .proceed), ("w/\"abc\"", .proceed),
      ("abc", .proceed), ("", .proceed), ("\"x\", \"y\"", .proceed), ("\"abc\" x", .proceed),
    ] as [(String, PreconditionOutcome)])
  func `If-None-Match compares weakly`(header: String, outcome: PreconditionOutcome) {
    #expect(evaluate(noneMatch: header) == outcome)
  }

  @Test(
    arguments: [
      (before, .proceed), (exactly, .notModified), (after, .notModified), ("yesterday", .proceed), ("", .proceed),
    ] as [(String, PreconditionOutcome)])
  func `If-Modified-Since`(header: String, outcome: PreconditionOutcome) {
    #expect(evaluate(modified: header) == outcome)
    // Parts of a second do not count: HTTP-dates have none.
    #expect(evaluate(modified: header, lastModified: noon.adding(milliseconds: 999)) == outcome)
  }

  @Test(
    arguments: [(before, .failed), (exactly, .proceed), (after, .proceed), ("yesterday", .proceed), ("", .proceed)]
      as [(String, PreconditionOutcome)])
  func `If-Unmodified-Since`(header: String, outcome: PreconditionOutcome) {
    #expect(evaluate(unmodified: header) == outcome)
    #expect(evaluate(unmodified: header, lastModified: noon.adding(milliseconds: 999)) == outcome)
  }

  /// RFC 9110 section 13.2.2: tags go before dates, 412 before 304.
  @Test func `order`() {
    #expect(evaluate(match: "\"abc\"", unmodified: Self.before) == .proceed)
    #expect(evaluate(match: "\"x\"", unmodified: Self.after) == .failed)
    #expect(evaluate(noneMatch: "\"x\"", modified: Self.after) == .proceed)
    #expect(evaluate(noneMatch: "\"abc\"", modified: Self.before) == .notModified)
    #expect(evaluate(match: "\"x\"", noneMatch: "\"abc\"") == .failed)
    #expect(evaluate(match: "\"abc\"", noneMatch: "\"abc\"") == .notModified)
    #expect(evaluate(noneMatch: "\"abc\"", unmodified: Self.before) == .failed)
    #expect(evaluate(match: "*", modified: Self.after) == .notModified)
    // A list that is none matches nothing, and still goes before the date.
    #expect(evaluate(noneMatch: "x", modified: Self.after) == .proceed)
  }

  @Test func `a weak tag of ours never matches strongly`() {
    #expect(evaluate(match: "W/\"abc\"", etag: "W/\"abc\"") == .failed)
    #expect(evaluate(match: "\"abc\"", etag: "W/\"abc\"") == .failed)
    #expect(evaluate(noneMatch: "\"abc\"", etag: "W/\"abc\"") == .notModified)
    #expect(!Preconditions.rangeApplies(ifRange: "W/\"abc\"", etag: "W/\"abc\"", lastModified: noon))
  }

  @Test(
    arguments: [
      (nil, true), ("\"abc\"", true), ("W/\"abc\"", false), ("\"x\"", false), ("*", false), ("\"abc\", \"x\"", false),
      (exactly, true), (before, false), (after, false),
      ("Sunday, 22-Nov-26 15:04:05 GMT", true), ("Sun Nov 22 15:04:05 2026", true), ("", false), ("abc", false),
    ] as [(String?, Bool)])
  func `If-Range`(header: String?, applies: Bool) {
    #expect(Preconditions.rangeApplies(ifRange: header, etag: Self.etag, lastModified: noon) == applies)
    #expect(
      Preconditions.rangeApplies(ifRange: header, etag: Self.etag, lastModified: noon.adding(milliseconds: 1))
        == applies)
  }

  /// RFC 9110 section 8.8.3.2.
  @Test(arguments: [
    ("W/\"1\"", "W/\"1\"", false, true), ("W/\"1\"", "W/\"2\"", false, false), ("W/\"1\"", "\"1\"", false, true),
    ("\"1\"", "\"1\"", true, true),
    ("\"e\u{301}\"", "\"é\"", false, false),
  ])
  func `comparison`(one: String, other: String, strong: Bool, weak: Bool) throws {
    let one = try #require(EntityTag(parsing: one))
    let other = try #require(EntityTag(parsing: other))
    #expect(one.stronglyMatches(other) == strong)
    #expect(one.weaklyMatches(other) == weak)
  }

  @Test(arguments: ["\"\"", "\"abc\"", "W/\"abc\"", "\"é\"", "\"!#~\""])
  func `tags`(text: String) {
    #expect(EntityTag(parsing: text)?.description == text)
  }

  @Test(arguments: [
    "", "\"", "abc", "\"a b\"", "\"a\"b\"", " \"a\"", "\"a\" ", "W/a", "W\"a\"", "W/ \"a\"", "\"a\u{7F}\"",
    "\"a\u{0}\"", "\"a\", \"b\"",
  ])
  func `no tags`(text: String) {
    #expect(EntityTag(parsing: text) == nil)
  }

  @Test func `tags are made of visible characters`() {
    #expect(EntityTag(opaque: "abc")?.description == "\"abc\"")
    #expect(EntityTag(opaque: "a\"c") == nil)
    #expect(EntityTag(opaque: "a c", isWeak: true) == nil)
  }
}
