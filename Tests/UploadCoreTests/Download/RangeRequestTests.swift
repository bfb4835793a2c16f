import Testing
import UploadCore

@Suite struct RangeRequestTests {
  /// RFC 9110 section 14.1.2, for a representation of 10000 bytes.
  @Test(
    arguments: [
      ("bytes=0-499", [0...499]), ("bytes=500-999", [500...999]), ("bytes=-500", [9_500...9_999]),
      ("bytes=9500-", [9_500...9_999]),
      ("bytes=0-0,-1", [0...0, 9_999...9_999]),
      ("bytes= 0-999, 4500-5499, -1000", [0...999, 4_500...5_499, 9_000...9_999]),
      // Both ways of the RFC to write the bytes 500 to 999.
      ("bytes=500-600,601-999", [500...999]), ("bytes=500-700,601-999", [500...999]),
    ] as [(String, [ClosedRange<Int64>])])
  func `examples of the RFC`(header: String, ranges: [ClosedRange<Int64>]) {
    #expect(RangeRequest.parse(header, size: 10_000) == .partial(ranges))
  }

  @Test(
    arguments: [
      ("bytes=0-", [0...99]), ("bytes=0-99", [0...99]), ("bytes=0-98", [0...98]), ("bytes=0-100", [0...99]),
      ("bytes=0-99999999999999999999999", [0...99]),
      ("bytes=99-", [99...99]), ("bytes=99-99", [99...99]), ("bytes=99-100", [99...99]), ("bytes=-1", [99...99]),
      ("bytes=-100", [0...99]), ("bytes=-101", [0...99]),
      ("bytes=-99999999999999999999999", [0...99]), ("Bytes=0-1", [0...1]), ("BYTES=0-1", [0...1]),
      ("bytes=00-01", [0...1]),
      ("bytes=,0-1", [0...1]), ("bytes=0-1,", [0...1]), ("bytes= , ,0-1 ,\t, 5-6 ", [0...1, 5...6]),
      // What cannot be satisfied is left out as long as something can.
      ("bytes=0-1,100-", [0...1]), ("bytes=200-300,5-6", [5...6]), ("bytes=-0,5-6", [5...6]),
      // In the order of the request.
      ("bytes=50-59,0-9", [50...59, 0...9]), ("bytes=-5,0-4", [95...99, 0...4]),
      // Adjacent and overlapping ones become one where the first of them was; with a gap of one byte they do not.
      ("bytes=0-4,5-9", [0...9]), ("bytes=5-9,0-4", [0...9]), ("bytes=0-4,6-9", [0...4, 6...9]),
      ("bytes=0-4,4-9", [0...9]), ("bytes=0-9,2-3", [0...9]),
      ("bytes=2-3,0-9", [0...9]), ("bytes=0-1,50-59,2-3", [0...3, 50...59]),
      ("bytes=50-59,0-1,4-5,2-3", [50...59, 0...5]),
      ("bytes=0-1,10-11,4-5,2-3,6-9", [0...11]), ("bytes=20-29,0-9,10-19", [0...29]),
      ("bytes=0-1,50-59,4-5,2-3", [0...5, 50...59]),
      ("bytes=70-79,20-29,40-49,30-39", [70...79, 20...49]),
    ] as [(String, [ClosedRange<Int64>])])
  func `partial of 100 bytes`(header: String, ranges: [ClosedRange<Int64>]) {
    #expect(RangeRequest.parse(header, size: 100) == .partial(ranges))
  }

  @Test(arguments: [
    "", "bytes", "bytes=", "bytes= ", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-0", "bytes=5-4,0-1",
    "bytes=0-1,5-4", "bytes=--1", "bytes=0--1",
    "bytes=+0-1", "bytes=0-+1", "bytes=0 -1", "bytes=0- 1", "bytes=0-1 2-3", "bytes=0-1;2-3", "bytes=0-1x",
    "bytes =0-1", " bytes=0-1", "bytes:0-1", "byte=0-1", "items=0-1",
    "bytes=0-1,x", "bytes=0x1-2", "bytes=1.0-2", "bytes=٠-١", "bytes=0-1\u{0}", "bytes=0-1\r\n", "=0-1",
    "bytes=0-\u{301}", "bytes=99999999999999999999-5",
  ])
  func `ignored`(header: String) {
    #expect(RangeRequest.parse(header, size: 100) == .whole)
  }

  @Test(arguments: [
    "bytes=100-", "bytes=100-200", "bytes=101-", "bytes=-0", "bytes=99999999999999999999999-", "bytes=100-,-0,200-300",
  ])
  func `unsatisfiable`(header: String) {
    #expect(RangeRequest.parse(header, size: 100) == .unsatisfiable)
  }

  @Test(arguments: ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-6,-1"])
  func `nothing of nothing`(header: String) {
    #expect(RangeRequest.parse(header, size: 0) == .unsatisfiable)
  }

  @Test func `bad syntax and other units of nothing are ignored too`() {
    #expect(RangeRequest.parse("items=0-", size: 0) == .whole)
    #expect(RangeRequest.parse("bytes=x", size: 0) == .whole)
  }

  @Test(arguments: [(15, true), (16, true), (17, false)])
  func `at most 16 ranges`(count: Int, isPartial: Bool) {
    let specs = (0..<count).map { "\($0 * 10)-\($0 * 10)" }.joined(separator: ",")
    let outcome = RangeRequest.parse("bytes=\(specs)", size: 1_000)
    let wanted = (0..<count).map { Int64($0 * 10)...Int64($0 * 10) }
    #expect(outcome == (isPartial ? .partial(wanted) : .whole))
  }

  @Test func `the limit is a parameter and counts what cannot be satisfied`() {
    #expect(RangeRequest.parse("bytes=0-0,2-2", size: 10, limit: 1) == .whole)
    #expect(RangeRequest.parse("bytes=0-0", size: 10, limit: 1) == .partial([0...0]))
    #expect(RangeRequest.parse("bytes=0-0,99-", size: 10, limit: 1) == .whole)
  }

  @Test(arguments: [
    ("bytes=0-,0-", true), ("bytes=0-,0-,0-0", false), ("bytes=0-,0-98", true), ("bytes=0-,0-,100-", true),
  ])
  func `together at most twice the size`(header: String, isPartial: Bool) {
    #expect(RangeRequest.parse(header, size: 100) == (isPartial ? .partial([0...99]) : .whole))
  }

  @Test func `the largest size`() {
    #expect(RangeRequest.parse("bytes=0-", size: .max) == .partial([0...(.max - 1)]))
    #expect(RangeRequest.parse("bytes=0-,0-,0-", size: .max) == .partial([0...(.max - 1)]))
    #expect(RangeRequest.parse("bytes=-1,9223372036854775806-", size: .max) == .partial([(.max - 1)...(.max - 1)]))
  }

  @Test(arguments: Seed.all)
  func `ranges cover what was asked for, once`(seed: Seed) throws {
    var generator = seed.generator()
    var partial = 0
    for _ in 0..<2_000 {
      let size = Int64.random(in: 1...60, using: &generator)
      var asked = Set<Int64>()
      var total: Int64 = 0
      let specs = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        let first = Int64.random(in: 0...70, using: &generator)
        let last = first + Int64.random(in: 0...9, using: &generator)
        switch Int.random(in: 0...5, using: &generator) {
        case 0:
          let bytes = max(0, size - first)..<size
          asked.formUnion(bytes)
          total += Int64(bytes.count)
          return "-\(first)"
        case 1:
          asked.formUnion(min(first, size)..<size)
          total += size - min(first, size)
          return "\(first)-"
        default:
          let bytes = min(first, size)..<min(last + 1, size)
          asked.formUnion(bytes)
          total += Int64(bytes.count)
          return "\(first)-\(last)"
        }
      }
      let header = "bytes=" + specs.joined(separator: [",", ", ", " ,,"].randomElement(using: &generator) ?? ",")
      switch RangeRequest.parse(header, size: size) {
      case .whole: try #require(total > 2 * size, "\(header) of \(size)")
      case .unsatisfiable: try #require(asked.isEmpty, "\(header) of \(size)")
      case .partial(let ranges):
        partial += 1
        try #require(total <= 2 * size)
        let covered = ranges.flatMap { Array($0) }
        try #require(Set(covered) == asked && covered.count == asked.count, "\(header) of \(size)")
        for (index, one) in ranges.enumerated() {
          for other in ranges[(index + 1)...] {
            try #require(one.upperBound + 1 < other.lowerBound || other.upperBound + 1 < one.lowerBound, "\(header)")
          }
        }
      }
    }
    #expect(partial > 500)
  }

  @Test func `content range`() {
    #expect(ByteRange(0...499, size: 1_234).contentRange == "bytes 0-499/1234")
    #expect(ByteRange(0...499, size: 1_234).length == 500)
    #expect(ByteRange(5...5, size: 6).length == 1)
    #expect(ByteRange.unsatisfied(size: 1_234) == "bytes */1234")
  }
}
