// Where to begin and to stop when keys are listed by expiry, and how local disks group uploads.

extension UploadID {
  /// The smallest text of an id that expires at `time` or later, 16 characters: every id which sorts before it is over
  /// at `time`. Held at the smallest and the largest text at the ends of the range of ids.
  public static func firstKey(expiringAt time: Timestamp) -> String {
    let seconds = time.secondsRoundedUp.subtractingSaturated(epoch)
    if seconds >= expiryCount {
      return text(expiry: UInt64(expiryCount - 1), random: randomCount - 1)
    }
    return text(expiry: UInt64(max(0, seconds)), random: 0)
  }

  /// The first 4 characters, shared by all uploads which expire in the same window of 1296 seconds.
  public var bucket: String {
    Base36.text(expiry / UInt64(Self.bucketSeconds), width: Self.bucketWidth)
  }

  /// The first instant at which every id of the bucket has expired; `nil` if `bucket` is not 4 characters of base36.
  ///
  /// This is the last second of the window, because an id is over from its second of expiry on.
  public static func bucketEnd(_ bucket: String) -> Timestamp? {
    guard bucket.utf8.count == bucketWidth else { return nil }
    var number: UInt64 = 0
    for byte in bucket.utf8 {
      guard let digit = Base36.value(of: byte) else { return nil }
      number = number * 36 + digit
    }
    return Timestamp(seconds: epoch + (Int64(number) + 1) * bucketSeconds - 1)
  }
}
