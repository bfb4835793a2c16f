/// The name of an upload: 16 characters of lowercase base36 which carry the time of its expiry.
///
/// The first 6 characters are the second in which the upload expires, counted from 2024-01-01 UTC; the other 10 are
/// random (51 bits). So any node knows from the URL alone when an upload is over, and a store that lists keys in
/// lexicographic order lists them by expiry. Order and equality of ids are those of their texts.
///
/// Kept as two numbers: parsing allocates nothing, and a malformed id cannot exist.
public struct UploadID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Characters of an id.
  public static let length = 16

  /// 2024-01-01T00:00:00Z in seconds since the Unix epoch.
  static let epoch: Int64 = 1_704_067_200
  static let expiryWidth = 6
  static let randomWidth = 10
  static let bucketWidth = 4
  static let expiryCount = Int64(Base36.count(width: expiryWidth))
  static let randomCount = Base36.count(width: randomWidth)
  /// Seconds of one bucket: what the two characters of the expiry that a bucket leaves out can say.
  static let bucketSeconds = Int64(Base36.count(width: expiryWidth - bucketWidth))

  /// Seconds from `epoch`, below `expiryCount`.
  let expiry: UInt64
  /// Below `randomCount`.
  private let random: UInt64

  /// A new id.
  ///
  /// - Parameters:
  ///   - expiresAt: the expiry, rounded up to a whole second. `nil` results outside of 2024-01-01 UTC up to 36⁶ seconds
  ///     (69 years) later.
  ///   - generator: has to be cryptographic in production: who knows an id may fetch the file.
  public init?(expiresAt: Timestamp, using generator: inout some RandomNumberGenerator) {
    let seconds = expiresAt.secondsRoundedUp - Self.epoch
    guard expiresAt >= Timestamp(seconds: Self.epoch), seconds < Self.expiryCount else { return nil }
    expiry = UInt64(seconds)
    random = UInt64.random(in: 0..<Self.randomCount, using: &generator)
  }

  /// Parses an id: exactly 16 characters of 0–9 and a–z; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    var expiry: UInt64 = 0
    var random: UInt64 = 0
    var count = 0
    for byte in text.utf8 {
      guard count < Self.length, let digit = Base36.value(of: byte) else { return nil }
      if count < Self.expiryWidth {
        expiry = expiry * 36 + digit
      } else {
        random = random * 36 + digit
      }
      count += 1
    }
    guard count == Self.length else { return nil }
    self.expiry = expiry
    self.random = random
  }

  /// The instant at which the upload is over, a whole second.
  public var expiresAt: Timestamp {
    Timestamp(seconds: Self.epoch + Int64(expiry))
  }

  /// Whether the upload is over: from `expiresAt` on, that instant included.
  public func isExpired(at now: Timestamp) -> Bool {
    expiresAt <= now
  }

  /// The 16 characters.
  public var description: String {
    Self.text(expiry: expiry, random: random)
  }

  /// The first 6 characters and "…", for logs: the whole id is the key to the file.
  public var shortened: String {
    Base36.text(expiry, width: Self.expiryWidth) + "…"
  }

  /// The order of the texts, which is the order of expiry.
  public static func < (lhs: UploadID, rhs: UploadID) -> Bool {
    (lhs.expiry, lhs.random) < (rhs.expiry, rhs.random)
  }

  static func text(expiry: UInt64, random: UInt64) -> String {
    Base36.text(expiry, width: expiryWidth, random, width: randomWidth)
  }
}
