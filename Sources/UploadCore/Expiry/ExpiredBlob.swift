/// Bytes that have to leave the store.
public struct ExpiredBlob: Hashable, Sendable {
  /// Why.
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    /// Its time is over.
    case expired
    /// All downloads are used up, and nobody can resume the last one any more.
    case consumed
    /// Its owner deleted it.
    case deleted
    /// The operator blocked it.
    case blocked
    /// The upload was not finished in its time.
    case unfinished
  }

  /// The upload.
  public var id: UploadID
  /// Why its bytes have to go.
  public var reason: Reason

  /// Bytes that have to go.
  public init(id: UploadID, reason: Reason) {
    self.id = id
    self.reason = reason
  }
}
