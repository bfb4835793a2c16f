/// When an upload ends: after some downloads or at a time.
public enum Lifetime: Hashable, Sendable {
  /// After so many complete downloads, and at the latest so many seconds after it was admitted.
  case downloads(DownloadLimit, seconds: Int64)
  /// So many seconds after it was admitted, however often it was downloaded.
  case time(seconds: Int64)

  /// Seconds from admission, without the allowance for the transfer.
  public var seconds: Int64 {
    switch self {
    case .downloads(_, let seconds), .time(let seconds): seconds
    }
  }

  /// The downloads that are allowed; `nil` when they are not counted.
  public var maxDownloads: DownloadLimit? {
    switch self {
    case .downloads(let limit, _): limit
    case .time: nil
    }
  }

  /// Seconds that are added for the transfer, because the expiry is fixed before the first byte arrives: the declared
  /// size at 1 MiB/s, rounded up; 600 s when no size was declared.
  public static func transferAllowance(declaredSize: Int64?) -> Int64 {
    guard let declaredSize else { return 600 }
    let (seconds, remainder) = max(0, declaredSize).quotientAndRemainder(dividingBy: 1 << 20)
    return remainder == 0 ? seconds : seconds + 1
  }
}
