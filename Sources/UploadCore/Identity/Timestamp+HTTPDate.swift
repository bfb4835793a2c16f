// RFC 9110 section 5.6.7: a recipient must accept all three forms, case-sensitively:
//   Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate
//   Sunday, 06-Nov-94 08:49:37 GMT   obsolete RFC 850
//   Sun Nov  6 08:49:37 1994         obsolete asctime()
// The name of the day has to be one, but need not fit the date: it carries no information.

extension Timestamp {
  /// Reads an HTTP-date (RFC 9110 section 5.6.7) in any of its three forms; `nil` for anything else.
  ///
  /// - Parameters:
  ///   - httpDate: the field value, without surrounding white space.
  ///   - now: the time of receipt. A two-digit year (RFC 850 form) that seems more than 50 years after it is taken
  ///     as the most recent past year with the same digits. Without it 70…99 are 1970…1999 and 00…69 are 2000…2069.
  public init?(httpDate: String, now: Timestamp? = nil) {
    var scanner = TextScanner(httpDate)
    guard let date = Self.parse(&scanner, now: now), scanner.isAtEnd, date.isValid else { return nil }
    self.init(seconds: date.secondsSinceEpoch)
  }

  private static let longWeekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  private static func parse(_ scanner: inout TextScanner, now: Timestamp?) -> CivilDate? {
    // Long names first: each begins with its short form.
    if scanner.scan(anyOf: longWeekdays) != nil {
      return parseRFC850(&scanner, now: now)
    }
    guard scanner.scan(anyOf: weekdays) != nil else { return nil }
    return scanner.scan(", ") ? parseFixdate(&scanner) : parseAsctime(&scanner)
  }

  private static func parseFixdate(_ scanner: inout TextScanner) -> CivilDate? {
    guard let day = scanner.scanNumber(digits: 2), scanner.scan(" "),
      let month = scanner.scan(anyOf: months), scanner.scan(" "),
      let year = scanner.scanNumber(digits: 4), scanner.scan(" "),
      let time = parseClock(&scanner), scanner.scan(" GMT")
    else { return nil }
    return date(year, month, day, time)
  }

  private static func parseRFC850(_ scanner: inout TextScanner, now: Timestamp?) -> CivilDate? {
    guard scanner.scan(", "), let day = scanner.scanNumber(digits: 2), scanner.scan("-"),
      let month = scanner.scan(anyOf: months), scanner.scan("-"),
      let shortYear = scanner.scanNumber(digits: 2), scanner.scan(" "),
      let time = parseClock(&scanner), scanner.scan(" GMT")
    else { return nil }
    guard let now else {
      return date(shortYear + (shortYear >= 70 ? 1_900 : 2_000), month, day, time)
    }
    return closest(date(shortYear, month, day, time), to: CivilDate(secondsSinceEpoch: now.seconds))
  }

  private static func parseAsctime(_ scanner: inout TextScanner) -> CivilDate? {
    guard scanner.scan(" "), let month = scanner.scan(anyOf: months), scanner.scan(" "),
      let day = scanner.scan(" ") ? scanner.scanNumber(digits: 1) : scanner.scanNumber(digits: 2),
      scanner.scan(" "), let time = parseClock(&scanner), scanner.scan(" "),
      let year = scanner.scanNumber(digits: 4)
    else { return nil }
    return date(year, month, day, time)
  }

  private static func parseClock(_ scanner: inout TextScanner) -> (hour: Int64, minute: Int64, second: Int64)? {
    guard let hour = scanner.scanNumber(digits: 2), scanner.scan(":"),
      let minute = scanner.scanNumber(digits: 2), scanner.scan(":"),
      let second = scanner.scanNumber(digits: 2)
    else { return nil }
    return (hour, minute, second)
  }

  private static func date(
    _ year: Int64,
    _ month: Int,
    _ day: Int64,
    _ time: (hour: Int64, minute: Int64, second: Int64)
  ) -> CivilDate {
    CivilDate(
      year: year,
      month: Int64(month) + 1,
      day: day,
      hour: time.hour,
      minute: time.minute,
      second: time.second
    )
  }

  /// The latest year with the two digits of `date` that is at most 50 years after `now`.
  private static func closest(_ date: CivilDate, to now: CivilDate) -> CivilDate {
    var horizon = now
    horizon.year += 50
    var candidate = date
    candidate.year += horizon.year - horizon.year % 100
    if candidate.secondsSinceEpoch > horizon.secondsSinceEpoch { candidate.year -= 100 }
    return candidate
  }
}
