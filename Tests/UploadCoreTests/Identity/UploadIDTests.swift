import Testing
import UploadCore

@Suite struct UploadIDTests {
  static let epoch = Timestamp(seconds: 1_704_067_200)
  static let lastSecond: Int64 = 1_704_067_200 + 2_176_782_335

  private func newID(at time: Timestamp) -> UploadID? {
    var generator = SplitMix64(seed: 7)
    return UploadID(expiresAt: time, using: &generator)
  }

  @Test func `carries its expiry in the first six characters`() {
    let id = makeID(expiring: noon)
    #expect(id.description.hasPrefix("1icput"))
    #expect(id.description.utf8.count == UploadID.length)
    #expect(id.expiresAt == noon)
    #expect(id.shortened == "1icput…")
    #expect(id.bucket == "1icp")
  }

  @Test(arguments: [(-1, false), (0, true), (1, true)])
  func `begins in 2024`(milliseconds: Int64, exists: Bool) {
    #expect((newID(at: Self.epoch.adding(milliseconds: milliseconds)) != nil) == exists)
  }

  @Test(arguments: [(-1_000, true), (-1, true), (0, true), (1, false), (1_000, false)])
  func `ends 69 years later`(milliseconds: Int64, exists: Bool) {
    let last = Timestamp(seconds: Self.lastSecond)
    #expect((newID(at: last.adding(milliseconds: milliseconds)) != nil) == exists)
  }

  @Test func `no id at the ends of time`() {
    #expect(newID(at: Timestamp(milliseconds: .min)) == nil)
    #expect(newID(at: Timestamp(milliseconds: .max)) == nil)
  }

  @Test(arguments: [(0, 0), (1, 1), (999, 1), (1_000, 1), (-1, 0), (-999, 0), (-1_000, -1)])
  func `rounds up to a whole second`(milliseconds: Int64, seconds: Int64) throws {
    let id = try #require(newID(at: noon.adding(milliseconds: milliseconds)))
    #expect(id.expiresAt == noon.adding(seconds: seconds))
  }

  @Test(arguments: [(-1, false), (0, true), (1, true)])
  func `is over from its second on`(milliseconds: Int64, isExpired: Bool) {
    #expect(makeID(expiring: noon).isExpired(at: noon.adding(milliseconds: milliseconds)) == isExpired)
  }

  @Test(arguments: ["0000000000000000", "zzzzzzzzzzzzzzzz", "1icput0123456789", "abcdefghijklmnop"])
  func `parses`(text: String) throws {
    let id = try #require(UploadID(text))
    #expect(id.description == text)
    #expect(UploadID(text[...]) == id)
  }

  @Test(arguments: [
    "", "0", "000000000000000", "00000000000000000", "1ICPUT0123456789", "1icput012345678Z", "1icput012345678-",
    "1icput012345678 ", " icput0123456789", "1icput012345678\u{0}", "1icput01234567é", "１icput0123456789",
    "1icput012345678\u{301}", "1icput0123456789\n", "1icput0123456789.txt",
  ])
  func `refuses`(text: String) {
    #expect(UploadID(text) == nil)
  }

  @Test(arguments: Seed.all)
  func `texts round-trip and sort like ids, which sort by expiry`(seed: Seed) throws {
    var generator = seed.generator()
    var ids: [UploadID] = []
    for _ in 0..<500 {
      let time = Timestamp(seconds: .random(in: Self.epoch.seconds...Self.lastSecond, using: &generator))
      let id = try #require(UploadID(expiresAt: time, using: &generator))
      try #require(id.expiresAt == time)
      try #require(UploadID(id.description) == id)
      ids.append(id)
    }
    let sorted = ids.sorted()
    #expect(sorted.map(\.description) == ids.map(\.description).sorted())
    #expect(sorted.map(\.expiresAt) == ids.map(\.expiresAt).sorted())
    #expect(Set(ids.map(\.description)).count == ids.count)
  }

  @Test func `the random part uses all of its range`() {
    var generator = SplitMix64(seed: 5)
    var seen = Array(repeating: Set<UInt8>(), count: UploadID.length)
    for _ in 0..<2_000 {
      guard let id = UploadID(expiresAt: noon, using: &generator) else { continue }
      for (place, character) in id.description.utf8.enumerated() { seen[place].insert(character) }
    }
    #expect(seen.map(\.count) == [1, 1, 1, 1, 1, 1] + Array(repeating: 36, count: 10))
  }

  @Test func `first key of a second`() {
    #expect(UploadID.firstKey(expiringAt: noon) == "1icput0000000000")
    #expect(UploadID.firstKey(expiringAt: noon.adding(milliseconds: 1)) == "1icpuu0000000000")
    #expect(UploadID.firstKey(expiringAt: noon.adding(milliseconds: -1)) == "1icput0000000000")
    #expect(UploadID.firstKey(expiringAt: Self.epoch) == "0000000000000000")
    #expect(UploadID.firstKey(expiringAt: Self.epoch.adding(seconds: -1)) == "0000000000000000")
    #expect(UploadID.firstKey(expiringAt: Timestamp(milliseconds: .min)) == "0000000000000000")
    #expect(UploadID.firstKey(expiringAt: Timestamp(seconds: Self.lastSecond)) == "zzzzzz0000000000")
    #expect(UploadID.firstKey(expiringAt: Timestamp(seconds: Self.lastSecond + 1)) == "zzzzzzzzzzzzzzzz")
    #expect(UploadID.firstKey(expiringAt: Timestamp(milliseconds: .max)) == "zzzzzzzzzzzzzzzz")
  }

  @Test(arguments: Seed.all)
  func `what sorts before the first key is over, and nothing else`(seed: Seed) throws {
    var generator = seed.generator()
    for _ in 0..<1_000 {
      let id = makeID(expiring: noon.adding(seconds: .random(in: -3...3, using: &generator)), seed: generator.next())
      let time = noon.adding(milliseconds: .random(in: -2_500...2_500, using: &generator))
      let key = UploadID.firstKey(expiringAt: time)
      try #require((id.description < key) == (id.expiresAt < time))
    }
  }

  @Test(arguments: ["", "abc", "abcde", "ABCD", "ab d", "ab-d", "abcé", "ab\u{0}d"])
  func `no bucket`(text: String) {
    #expect(UploadID.bucketEnd(text) == nil)
  }

  @Test func `a bucket ends with its last second`() {
    #expect(UploadID.bucketEnd("0000") == Self.epoch.adding(seconds: 1_295))
    #expect(UploadID.bucketEnd("0001") == Self.epoch.adding(seconds: 2_591))
    #expect(UploadID.bucketEnd("zzzz") == Timestamp(seconds: Self.lastSecond))
  }

  @Test(arguments: Seed.all)
  func `all of a bucket are over at its end and not all before`(seed: Seed) throws {
    var generator = seed.generator()
    for _ in 0..<500 {
      let time = noon.adding(seconds: .random(in: 0...100_000, using: &generator))
      let bucket = makeID(expiring: time).bucket
      let end = try #require(UploadID.bucketEnd(bucket))
      let last = try #require(UploadID(bucket + "zz0000000000"))
      try #require(time <= end)
      try #require(last.isExpired(at: end))
      try #require(!last.isExpired(at: end.adding(milliseconds: -1)))
      try #require(makeID(expiring: end.adding(seconds: 1)).bucket != bucket)
    }
  }
}
