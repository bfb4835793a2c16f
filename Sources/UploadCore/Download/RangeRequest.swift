/// The `Range` header (RFC 9110 section 14.2).
public enum RangeRequest {
  /// What the header means for `size` bytes.
  ///
  /// Ignored (`whole`): bad syntax, another unit than bytes, more than `limit` ranges, and ranges of together more
  /// than twice the size, which RFC 9110 section 14.2 warns of. Overlapping and adjacent ranges become one, in the
  /// place of the first of them. No range of an empty representation can be satisfied.
  ///
  /// - Parameters:
  ///   - header: the field value.
  ///   - size: bytes of the representation.
  ///   - limit: the most ranges.
  public static func parse(_ header: String, size: Int64, limit: Int = 16) -> RangeOutcome {
    guard let specs = specs(header, limit: limit) else { return .whole }
    var ranges: [ClosedRange<Int64>] = []
    var total: Int64 = 0
    for range in specs.compactMap({ $0.resolved(size: size) }) {
      total = total.addingSaturated(range.upperBound - range.lowerBound + 1)
      insert(range, into: &ranges)
    }
    if total > size.multipliedSaturated(by: 2) { return .whole }
    return ranges.isEmpty ? .unsatisfiable : .partial(ranges)
  }

  /// The ranges as they were asked for; `nil` when the header is to be ignored.
  private static func specs(_ header: String, limit: Int) -> [RangeSpec]? {
    var scanner = TextScanner(header)
    let unit = scanner.scanWhile(\.isTokenCharacter)
    guard String(decoding: unit, as: UTF8.self).lowercased() == "bytes", scanner.scan("=") else { return nil }
    var specs: [RangeSpec] = []
    // A list may have empty elements (RFC 9110 section 5.6.1.2), but not only these.
    repeat {
      scanner.skipWhitespace()
      if scanner.next == UInt8(ascii: ",") || scanner.isAtEnd { continue }
      guard specs.count < limit, let spec = RangeSpec(&scanner) else { return nil }
      specs.append(spec)
      scanner.skipWhitespace()
    } while scanner.scan(",")
    return scanner.isAtEnd && !specs.isEmpty ? specs : nil
  }

  private static func insert(_ new: ClosedRange<Int64>, into ranges: inout [ClosedRange<Int64>]) {
    guard let place = ranges.firstIndex(where: { touches($0, new) }) else {
      ranges.append(new)
      return
    }
    // Those that are there do not touch each other, so one look finds all that the merged range touches.
    var merged = new
    for other in ranges where touches(other, new) {
      merged = min(merged.lowerBound, other.lowerBound)...max(merged.upperBound, other.upperBound)
    }
    ranges.removeAll { touches($0, new) }
    ranges.insert(merged, at: place)
  }

  /// Overlapping, or next to each other. Bounds are below `size`, so that adding 1 does not overflow.
  private static func touches(_ one: ClosedRange<Int64>, _ other: ClosedRange<Int64>) -> Bool {
    one.lowerBound <= other.upperBound + 1 && other.lowerBound <= one.upperBound + 1
  }
}
