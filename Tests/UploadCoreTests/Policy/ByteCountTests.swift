import Testing
import UploadCore

@Suite struct ByteCountTests {
  static let printed: [(Int64, String)] = [
    (0, "0 B"), (1, "1 B"), (100, "100 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_025, "1025 B"), (1_536, "1.5 KiB"),
    (1_280, "1.25 KiB"), (65_536, "64 KiB"), (1 << 20, "1 MiB"), ((1 << 20) - 1, "1048575 B"),
    ((1 << 20) + 1, "1048577 B"),
    (3 << 19, "1.5 MiB"), (5 << 30, "5 GiB"), (1_025 << 20, "1025 MiB"), (1_000_001, "1000001 B"),
    (100_000_000, "100000000 B"),
    (1 << 40, "1 TiB"), (1 << 50, "1024 TiB"), (21 * (1 << 20) / 20 + 1, "1101005 B"), (51 << 18, "12.75 MiB"),
    (-1, "-1 B"), (-(5 << 30), "-5 GiB"), (Int64.max, "9223372036854775807 B"), (Int64.min, "-8388608 TiB"),
    (26_214_400 + 1_310_720, "26.25 MiB"), ((1 << 30) + (1 << 28), "1.25 GiB"), ((1 << 30) + (1 << 27), "1152 MiB"),
  ]

  @Test(arguments: printed)
  func `prints`(bytes: Int64, text: String) {
    #expect(ByteCount(bytes).description == text)
  }

  @Test func `decimals are quarters`() {
    // 1.05 of a unit would need a unit that 20 divides, which no power of two is.
    let decimals = Set((1_024...4_096).compactMap { ByteCount($0).description.split(separator: ".").dropFirst().first })
    #expect(decimals == ["25 KiB", "5 KiB", "75 KiB"])
  }

  static let parsed: [(String, Int64)] = [
    ("0", 0), ("5368709120", 5_368_709_120), ("5GiB", 5 << 30), ("5gib", 5 << 30), ("5 GIB", 5 << 30),
    ("100MB", 100_000_000),
    ("64 KiB", 65_536), ("1.5GiB", 3 << 29), ("1B", 1), ("1 b", 1), ("1KB", 1_000), ("2GB", 2_000_000_000),
    ("1TB", 1_000_000_000_000),
    ("1TiB", 1 << 40), (" 7 ", 7), ("\t7\tMB\t", 7_000_000), ("007", 7), ("0.5KiB", 512), ("1.25KB", 1_250),
    ("0.0001KB", 0),
    ("1.0009KB", 1_000), ("1.001KB", 1_001), ("1.999999999999999999KB", 1_999), ("0.000000000000000001TiB", 0),
    ("0.999999999999999999 TiB", 1_099_511_627_775),
    ("9223372036854775807", Int64.max), ("8388607 TiB", 8_388_607 << 40),
    ("8388607.99999 TiB", 9_223_372_036_843_780_691),
  ]

  @Test(arguments: parsed)
  func `parses`(text: String, bytes: Int64) {
    #expect(ByteCount(parsing: text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", " ", "-1", "+1", "-5GiB", "1e3", "0x10", "NaN", "nan", "inf", "Infinity", "1,5GiB", "1.5", "1.5B", "1.",
    "1.GiB", ".5GiB",
    "1.5.5GiB", "5G", "5K", "5GiBs", "5 Gi B", "5 PiB", "GiB", "B", "1 000", "9223372036854775808",
    "18446744073709551616", "8388608TiB",
    "9223372036854775807KiB", "99999999999999999999999", "٣GiB", "5\u{301}GiB", "1.0000000000000000001GiB", "5GiB\n",
    "9223372.1e9TB", "-0",
    "9223372.036854775808TB",
  ])
  func `refuses`(text: String) {
    #expect(ByteCount(parsing: text) == nil)
  }

  @Test func `the largest decimal`() {
    #expect(ByteCount(parsing: "9223372.036854775807TB")?.bytes == .max)
  }

  @Test(arguments: Seed.all)
  func `parses what it prints`(seed: Seed) throws {
    var generator = seed.generator()
    for _ in 0..<3_000 {
      let bits = Int64.random(in: 0...62, using: &generator)
      let count = ByteCount(
        Int64.random(in: 0...(1 << bits), using: &generator) / 16 * 16 + .random(in: 0...1, using: &generator))
      try #require(ByteCount(parsing: count.description) == count, "\(count)")
    }
  }

  @Test func `compares by bytes`() {
    #expect(ByteCount(1) < ByteCount(2))
    #expect(!(ByteCount(2) < ByteCount(2)))
    #expect(ByteCount(rawValue: 7) == ByteCount(7))
    #expect(ByteCount(7).rawValue == 7)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, 1), (1_000, 1_000), (Int.min, nil), (Int.max, Int.max)])
  func `download limits are positive`(count: Int, limit: Int?) {
    #expect(DownloadLimit(count)?.count == limit)
  }
}
