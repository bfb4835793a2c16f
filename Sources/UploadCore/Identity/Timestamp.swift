/// A point in time: milliseconds since the Unix epoch, UTC, without leap seconds.
///
/// The core has no clock: every function that needs the time takes a `now` of this type.
public struct Timestamp: Comparable, Hashable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
  public var milliseconds: Int64

  /// - Parameter milliseconds: milliseconds since the Unix epoch.
  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// - Parameter seconds: seconds since the Unix epoch; held at the ends of what milliseconds can say.
  public init(seconds: Int64) {
    self.milliseconds = seconds.multipliedSaturated(by: 1_000)
  }

  /// Whole seconds since the Unix epoch, rounded towards the past.
  public var seconds: Int64 {
    milliseconds.dividedByFlooring(1_000).quotient
  }

  /// Whole seconds since the Unix epoch, rounded towards the future.
  var secondsRoundedUp: Int64 {
    let (quotient, remainder) = milliseconds.dividedByFlooring(1_000)
    return remainder == 0 ? quotient : quotient + 1
  }

  /// The time so many seconds later (earlier, when negative); held at the ends of the range.
  public func adding(seconds: Int64) -> Timestamp {
    adding(milliseconds: seconds.multipliedSaturated(by: 1_000))
  }

  /// The time so many milliseconds later (earlier, when negative); held at the ends of the range.
  public func adding(milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: self.milliseconds.addingSaturated(milliseconds))
  }

  /// Milliseconds from `earlier` to this time; negative when `earlier` is later. Held at the ends of the range.
  public func milliseconds(since earlier: Timestamp) -> Int64 {
    milliseconds.subtractingSaturated(earlier.milliseconds)
  }

  /// Earlier sorts first.
  public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
    lhs.milliseconds < rhs.milliseconds
  }
}
