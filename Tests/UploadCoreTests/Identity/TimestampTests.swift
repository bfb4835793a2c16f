import Testing
import UploadCore

@Suite struct TimestampTests {
  static let rounding: [(Int64, Int64)] = [
    (0, 0), (1, 0), (999, 0), (1_000, 1), (1_001, 1), (-1, -1), (-999, -1), (-1_000, -1), (-1_001, -2),
    (Int64.max, 9_223_372_036_854_775), (Int64.min, -9_223_372_036_854_776),
  ]

  @Test(arguments: rounding)
  func `seconds are rounded towards the past`(milliseconds: Int64, seconds: Int64) {
    #expect(Timestamp(milliseconds: milliseconds).seconds == seconds)
  }

  @Test func `sums and differences are held at the ends`() {
    let first = Timestamp(milliseconds: .min)
    let last = Timestamp(milliseconds: .max)
    #expect(Timestamp(seconds: .max) == last)
    #expect(Timestamp(seconds: .min) == first)
    #expect(last.adding(milliseconds: 1) == last)
    #expect(last.adding(seconds: 1) == last)
    #expect(first.adding(milliseconds: -1) == first)
    #expect(first.adding(seconds: .min) == first)
    #expect(noon.adding(seconds: .max) == last)
    #expect(last.milliseconds(since: first) == .max)
    #expect(first.milliseconds(since: last) == .min)
    #expect(noon.milliseconds(since: first) == .max)
  }

  @Test func `adds and subtracts`() {
    #expect(noon.adding(seconds: 2).milliseconds(since: noon) == 2_000)
    #expect(noon.adding(milliseconds: -1).milliseconds(since: noon) == -1)
    #expect(noon.adding(milliseconds: -1) < noon)
    #expect(noon < noon.adding(milliseconds: 1))
  }

  static let texts: [(Int64, String, String)] = [
    (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
    (-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
    (784_111_777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
    (1_795_359_845, "2026-11-22T15:04:05Z", "Sun, 22 Nov 2026 15:04:05 GMT"),
    (951_782_400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
    (951_782_399, "2000-02-28T23:59:59Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
    (-2_203_891_200, "1900-03-01T00:00:00Z", "Thu, 01 Mar 1900 00:00:00 GMT"),
    (-2_203_891_201, "1900-02-28T23:59:59Z", "Wed, 28 Feb 1900 23:59:59 GMT"),
    (4_107_542_400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
    (253_402_300_799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    (253_402_300_800, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    (-62_167_219_200, "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT"),
    (-62_167_219_201, "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT"),
    (Int64.max, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
  ]

  @Test(arguments: texts)
  func `prints RFC 3339 and IMF-fixdate`(seconds: Int64, rfc3339: String, httpDate: String) {
    #expect(Timestamp(seconds: seconds).rfc3339 == rfc3339)
    #expect(Timestamp(seconds: seconds).httpDate == httpDate)
  }

  @Test func `parts of a second do not show`() {
    #expect(noon.adding(milliseconds: 999).rfc3339 == noon.rfc3339)
    #expect(noon.adding(milliseconds: -1).rfc3339 == "2026-11-22T15:04:04Z")
    #expect(Timestamp(milliseconds: -1).httpDate == "Wed, 31 Dec 1969 23:59:59 GMT")
  }

  /// Counts days as people do, one after the other, against the formula.
  @Test func `every day from 1896 to 2104 follows the one before`() throws {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekdays = ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"]
    var time = try #require(Timestamp(httpDate: "Wed, 01 Jan 1896 00:00:00 GMT"))
    var weekday = 0
    for year in 1896...2104 {
      let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
      for month in 0..<12 {
        for day in 1...(lengths[month] + (month == 1 && isLeap ? 1 : 0)) {
          let wanted = "\(weekdays[weekday]), \(day < 10 ? "0" : "")\(day) \(names[month]) \(year) 00:00:00 GMT"
          try #require(time.httpDate == wanted)
          time = time.adding(seconds: 86_400)
          weekday = (weekday + 1) % 7
        }
      }
    }
    #expect(time.rfc3339 == "2105-01-01T00:00:00Z")
  }
}
