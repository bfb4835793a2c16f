/// A range of an object, cut into the requests that fetch it.
struct ReadWindows: Sendable {
  let range: Range<Int64>
  /// Bytes of every window but the last.
  let step: Int64

  /// One at least, so that an empty range has a window too.
  var count: Int { max(1, Int((Int64(range.count) + step - 1) / step)) }

  subscript(index: Int) -> Range<Int64> {
    let start = range.lowerBound + Int64(index) * step
    return start..<min(start + step, range.upperBound)
  }
}
