/// One element of a `Range` header, before the size is known (RFC 9110 section 14.1.2).
enum RangeSpec: Hashable {
  /// `first-last`, or `first-` for all the rest.
  case positions(first: Int64, last: Int64?)
  /// `-length`: the end.
  case suffix(length: Int64)

  /// Takes an element; `nil` for bad syntax, which a last position before the first is too. Numbers are unbounded in
  /// the grammar and held at `Int64.max`.
  init?(_ scanner: inout TextScanner) {
    let first = scanner.scanSaturatedNumber()
    guard scanner.scan("-") else { return nil }
    let second = scanner.scanSaturatedNumber()
    switch (first, second) {
    case (let first?, let last?) where last < first: return nil
    case (let first?, let last): self = .positions(first: first, last: last)
    case (nil, let length?): self = .suffix(length: length)
    case (nil, nil): return nil
    }
  }

  /// The bytes of a representation of `size` bytes; `nil` when there are none.
  func resolved(size: Int64) -> ClosedRange<Int64>? {
    switch self {
    case .positions(let first, let last):
      guard first < size else { return nil }
      return first...min(last ?? size - 1, size - 1)
    case .suffix(let length):
      guard length > 0, size > 0 else { return nil }
      return max(0, size - length)...(size - 1)
    }
  }
}
