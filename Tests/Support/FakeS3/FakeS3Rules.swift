/// What the fake enforces, as R2 does. Tests make numbers smaller.
public struct FakeS3Rules: Sendable {
  /// Of every part but the last, in bytes.
  public var minimumPartSize = 5 << 20

  /// R2's own.
  public init() {}
}
