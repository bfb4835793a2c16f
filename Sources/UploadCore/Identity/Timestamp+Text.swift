// What goes out: RFC 3339 for people and scripts, IMF-fixdate for HTTP. What comes in is in Timestamp+HTTPDate.swift.

extension Timestamp {
  static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `2026-11-22T15:04:05Z` (RFC 3339): UTC, whole seconds, rounded towards the past.
  ///
  /// Times outside of the years 0000 to 9999 print as the nearest time inside.
  public var rfc3339: String {
    let date = CivilDate(secondsSinceEpoch: seconds)
    var text: [UInt8] = []
    text.reserveCapacity(20)
    Self.append(date.year, width: 4, then: "-", to: &text)
    Self.append(date.month, then: "-", to: &text)
    Self.append(date.day, then: "T", to: &text)
    Self.appendClock(date, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// `Sun, 22 Nov 2026 15:04:05 GMT` (IMF-fixdate, RFC 9110 section 5.6.7): whole seconds, rounded towards the past.
  ///
  /// Times outside of the years 0000 to 9999 print as the nearest time inside.
  public var httpDate: String {
    let date = CivilDate(secondsSinceEpoch: seconds)
    var text: [UInt8] = []
    text.reserveCapacity(29)
    text += Self.weekdays[date.weekday].utf8
    text += ", ".utf8
    Self.append(date.day, then: " ", to: &text)
    text += Self.months[Int(date.month) - 1].utf8
    text.append(UInt8(ascii: " "))
    Self.append(date.year, width: 4, then: " ", to: &text)
    Self.appendClock(date, to: &text)
    text += " GMT".utf8
    return String(decoding: text, as: UTF8.self)
  }

  // Bytes, not interpolation: several of these texts go with every response.

  private static func appendClock(_ date: CivilDate, to text: inout [UInt8]) {
    append(date.hour, then: ":", to: &text)
    append(date.minute, then: ":", to: &text)
    append(date.second, then: nil, to: &text)
  }

  private static func append(
    _ value: Int64, width: Int = 2, then separator: Unicode.Scalar?, to text: inout [UInt8]
  ) {
    var divisor: Int64 = width == 4 ? 1_000 : 10
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
    if let separator { text.append(UInt8(ascii: separator)) }
  }
}
