/// How many complete downloads an upload allows: one or more.
public struct DownloadLimit: Hashable, Sendable {
  /// The number, 1 or more.
  public let count: Int

  /// One download: the default of the service.
  public static let one = DownloadLimit(unchecked: 1)

  /// `nil` when `count` is not positive.
  public init?(_ count: Int) {
    guard count > 0 else { return nil }
    self.count = count
  }

  private init(unchecked count: Int) {
    self.count = count
  }
}
