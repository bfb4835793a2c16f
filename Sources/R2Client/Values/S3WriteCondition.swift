/// When a write may happen. If not, the store answers 412 and nothing has changed (``S3Error/isPreconditionFailed``).
///
/// R2 bills the refused write too, and answers 429 instead when one key is written more than once a second.
public enum S3WriteCondition: Sendable, Hashable {
  /// Only if there is no object with this key: `If-None-Match: *`.
  case ifAbsent
  /// Only if the object is still this one: `If-Match`.
  case ifMatch(S3ETag)
}
