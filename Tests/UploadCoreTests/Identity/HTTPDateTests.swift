import Testing
import UploadCore

@Suite struct HTTPDateTests {
  /// The example of RFC 9110 section 5.6.7 in its three forms, and more.
  @Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
    ("Sun Nov  6 08:49:37 1994", 784_111_777),
    ("Sun Nov 22 15:04:05 2026", 1_795_359_845),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
    ("Wednesday, 29-Feb-00 00:00:00 GMT", 951_782_400),
    // A leap second is the first second of the next minute.
    ("Wed, 31 Dec 1969 23:59:60 GMT", 0),
    // The name of the day says nothing.
    ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
  ])
  func `reads the three forms`(text: String, seconds: Int64) {
    #expect(Timestamp(httpDate: text) == Timestamp(seconds: seconds))
  }

  @Test(arguments: [
    "", " ", "0", "784111777", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun,06 Nov 1994 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 1900 00:00:00 GMT",
    "Sun, 29 Feb 2026 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT", "Sun Nov 06 08:49:37 1994 GMT", "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 94", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT\u{301}",
    "Sun, ٠٦ Nov 1994 08:49:37 GMT",
  ])
  func `refuses anything else`(text: String) {
    #expect(Timestamp(httpDate: text) == nil)
  }

  /// RFC 9110 section 5.6.7: a year that seems more than 50 years ahead is in the past.
  @Test(arguments: [
    ("Sunday, 22-Nov-76 15:04:05 GMT", "2076-11-22T15:04:05Z"),
    ("Sunday, 22-Nov-76 15:04:06 GMT", "1976-11-22T15:04:06Z"),
    ("Sunday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00Z"),
    ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
    ("Sunday, 22-Nov-26 15:04:05 GMT", "2026-11-22T15:04:05Z"),
    ("Sunday, 01-Jan-00 00:00:00 GMT", "2000-01-01T00:00:00Z"),
  ])
  func `two digits of a year are near now`(text: String, rfc3339: String) {
    #expect(Timestamp(httpDate: text, now: noon)?.rfc3339 == rfc3339)
  }

  @Test(arguments: [("69", "2069"), ("70", "1970"), ("99", "1999"), ("00", "2000")])
  func `two digits of a year without now`(digits: String, year: String) throws {
    let time = try #require(Timestamp(httpDate: "Monday, 01-Jan-\(digits) 00:00:00 GMT"))
    #expect(time.rfc3339 == "\(year)-01-01T00:00:00Z")
  }

  @Test(arguments: Seed.all)
  func `reads what it prints`(seed: Seed) throws {
    var generator = seed.generator()
    for _ in 0..<2_000 {
      let time = Timestamp(seconds: .random(in: -62_167_219_200...253_402_300_799, using: &generator))
      try #require(Timestamp(httpDate: time.httpDate) == time)
    }
  }

  @Test(arguments: Seed.all)
  func `one changed byte never traps`(seed: Seed) {
    var generator = seed.generator()
    for form in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
      for _ in 0..<500 {
        var bytes = Array(form.utf8)
        bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0x20...0x7E, using: &generator)
        let changed = String(decoding: bytes, as: UTF8.self)
        guard let time = Timestamp(httpDate: changed, now: noon) else { continue }
        #expect(Timestamp(httpDate: time.httpDate) == time, "\(changed)")
      }
    }
  }
}
