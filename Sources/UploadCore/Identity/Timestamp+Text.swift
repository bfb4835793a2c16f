// What goes out: RFC 3339 for people and scripts, IMF-fixdate for HTTP. What comes in is in Timestamp+HTTPDate.swift.

extension Timestamp {
  static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `2026-11-22T15:04:05Z` (RFC 3339): UTC, whole seconds, rounded towards the past.
  ///
  /// Times outside of the years 0000 to 9999 print as the nearest time inside.
  public var rfc3339: String {
    let date = CivilDate(secondsSinceEpoch: seconds)
    return "\(padded(date.year, to: 4))-\(padded(date.month))-\(padded(date.day))T\(clock(date))Z"
  }

  /// `Sun, 22 Nov 2026 15:04:05 GMT` (IMF-fixdate, RFC 9110 section 5.6.7): whole seconds, rounded towards the past.
  ///
  /// Times outside of the years 0000 to 9999 print as the nearest time inside.
  public var httpDate: String {
    let date = CivilDate(secondsSinceEpoch: seconds)
    let weekday = Self.weekdays[date.weekday]
    let month = Self.months[Int(date.month) - 1]
    return "\(weekday), \(padded(date.day)) \(month) \(padded(date.year, to: 4)) \(clock(date)) GMT"
  }

  private func clock(_ date: CivilDate) -> String {
    "\(padded(date.hour)):\(padded(date.minute)):\(padded(date.second))"
  }

  private func padded(_ value: Int64, to width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
  }
}
