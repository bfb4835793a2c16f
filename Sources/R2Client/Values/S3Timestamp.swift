import FoundationEssentials

/// A point in time in whole seconds, which is what S3's headers carry.
public struct S3Timestamp: Sendable, Hashable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z.
  public var secondsSince1970: Int64

  /// A point in time by its distance from 1970-01-01T00:00:00Z.
  public init(secondsSince1970: Int64) {
    self.secondsSince1970 = secondsSince1970
  }

  /// The time of this machine's clock.
  public static var now: S3Timestamp {
    S3Timestamp(secondsSince1970: Int64(Date().timeIntervalSince1970.rounded(.down)))
  }

  /// Earlier is less.
  public static func < (a: S3Timestamp, b: S3Timestamp) -> Bool {
    a.secondsSince1970 < b.secondsSince1970
  }
}
