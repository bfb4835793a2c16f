/// What conditional headers make of a GET or HEAD.
public enum PreconditionOutcome: Hashable, Sendable {
  /// Answer as without them.
  case proceed
  /// 304: the client has it.
  case notModified
  /// 412.
  case failed
}
