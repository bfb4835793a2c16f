/// What the client may repeat when the outcome of a write is not known: the connection broke before the answer, or the
/// answer was 429 or 5xx.
public enum S3Repeats: Sendable, Hashable {
  /// Writes without a condition are repeated: twice the same bytes under the same key is once. Conditional writes are
  /// repeated only when nothing was sent; otherwise the error says ``S3Error/outcomeUnknown`` and the caller reads back.
  case whenSafe
  /// Conditional writes are repeated too. A 412 after a lost answer may be the caller's own success: the error then says
  /// ``S3Error/outcomeUnknown``.
  case always
  /// Nothing is repeated, not even what was not sent.
  case never
}
