/// A date and time of day in the proleptic Gregorian calendar, UTC, whole seconds.
///
/// The standard library has no calendar, and Foundation would bring 34 MB of tables for three text forms.
/// Day numbers follow the usual trick: years begin in March, so that the leap day is the last one of a year.
struct CivilDate: Hashable, Sendable {
  var year: Int64
  var month: Int64
  var day: Int64
  var hour: Int64
  var minute: Int64
  var second: Int64

  /// Seconds of 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say.
  static let printable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  init(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The date of a count of seconds since the Unix epoch; held within the years 0 to 9999.
  init(secondsSinceEpoch seconds: Int64) {
    let held = Swift.min(Swift.max(seconds, Self.printable.lowerBound), Self.printable.upperBound)
    let (days, time) = held.dividedByFlooring(86_400)
    let (era, dayOfEra) = (days + 719_468).dividedByFlooring(146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    self.init(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
      month: month,
      day: dayOfYear - (153 * marchMonth + 2) / 5 + 1,
      hour: time / 3_600,
      minute: time / 60 % 60,
      second: time % 60
    )
  }

  /// Days since 1970-01-01.
  var daysSinceEpoch: Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = marchYear.dividedByFlooring(400)
    let marchMonth = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Seconds since the Unix epoch; a second of 60 is the first one of the next minute.
  var secondsSinceEpoch: Int64 {
    daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second
  }

  /// 0 is Sunday.
  var weekday: Int {
    Int((daysSinceEpoch + 4).dividedByFlooring(7).remainder)
  }

  /// Whether every field is in its range and the day exists in its month. Leap seconds (60) are let in.
  var isValid: Bool {
    (0...9_999).contains(year) && (1...12).contains(month) && (1...daysInMonth).contains(day)
      && (0...23).contains(hour) && (0...59).contains(minute) && (0...60).contains(second)
  }

  private var daysInMonth: Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
