/// What a `Range` header means for a representation (RFC 9110 section 14.2).
public enum RangeOutcome: Hashable, Sendable {
  /// Ignore the header: 200 with everything.
  case whole
  /// 206 with these bytes, first and last, in the order of the request; at least one.
  case partial([ClosedRange<Int64>])
  /// 416.
  case unsatisfiable
}
