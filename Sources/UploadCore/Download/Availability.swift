/// What is left of an upload whose downloads are counted.
public enum Availability: Hashable, Sendable {
  /// A download may begin.
  case available(remaining: Int)
  /// All downloads that are left are in progress.
  case leased(remaining: Int)
  /// Nothing is left.
  case consumed

  /// Downloads that are not used up.
  public var remaining: Int {
    switch self {
    case .available(let remaining), .leased(let remaining): remaining
    case .consumed: 0
    }
  }

  /// The state of the upload, as the API says it.
  public var state: UploadState {
    switch self {
    case .available: .available
    case .leased: .leased
    case .consumed: .consumed
    }
  }
}
