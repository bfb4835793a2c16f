// The three ways in which S3 writes time. Dates by the proleptic Gregorian calendar
// (howardhinnant.github.io/date_algorithms.html), so that neither locale nor time zone plays a part.
extension S3Timestamp {
  /// `20130524T000000Z`, as requests are signed.
  package var basicText: String {
    let date = civil
    return Self.padded(date.year, 4) + Self.padded(date.month, 2) + Self.padded(date.day, 2) + "T"
      + Self.padded(date.hour, 2) + Self.padded(date.minute, 2) + Self.padded(date.second, 2) + "Z"
  }

  /// `Fri, 24 May 2013 00:00:00 GMT`, as in `Date` and `Last-Modified` (RFC 9110, IMF-fixdate); nil for other text.
  package init?(httpDate text: String) {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
      let month = months.firstIndex(of: String(words[2]))
    else { return nil }
    self.init(year: year, month: month + 1, day: day, time: words[4])
  }

  /// `2009-10-12T17:50:30.000Z`, as in listings (RFC 3339, UTC); fractions are dropped; nil for other text.
  package init?(rfc3339 text: String) {
    let halves = text.split(separator: "T")
    guard halves.count == 2, halves[1].hasSuffix("Z") else { return nil }
    let date = halves[0].split(separator: "-").map { Int($0) }
    guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else { return nil }
    self.init(year: year, month: month, day: day, time: halves[1].dropLast().prefix { $0 != "." })
  }

  private init?(year: Int, month: Int, day: Int, time: Substring) {
    let clock = time.split(separator: ":").map { Int($0) }
    guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
      (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    self.init(secondsSince1970: Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second))
  }

  private var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    let seconds = max(secondsSince1970, 0)
    let time = Int(seconds % 86400)
    let z = Int(seconds / 86400) + 719_468
    let era = z / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1, time / 3600, time / 60 % 60, time % 60)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
