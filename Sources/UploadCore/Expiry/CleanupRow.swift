/// What cleanup has to know of an upload in the index.
public struct CleanupRow: Hashable, Sendable {
  /// Where an upload is in its life.
  public enum Phase: Hashable, Sendable {
    /// The body is still arriving, or was when the process ended.
    case uploading
    /// May be downloaded.
    case stored
    /// The last download was used up at that time.
    case consumed(at: Timestamp)
    /// Its owner deleted it.
    case deleted
    /// The operator blocked it.
    case blocked
  }

  /// The upload.
  public var id: UploadID
  /// Where it is in its life.
  public var phase: Phase
  /// Whether its bytes may still be in the store; `false` only after the store has said that they are gone.
  public var hasObject: Bool

  /// A row of the index.
  public init(id: UploadID, phase: Phase, hasObject: Bool = true) {
    self.id = id
    self.phase = phase
    self.hasObject = hasObject
  }
}
