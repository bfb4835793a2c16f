import R2Client
import Testing

struct PartLayoutTests {
  static let minimum: Int64 = 5 << 20

  static let cuts: [(Int64, Int)] = [
    (1, 1), (5_242_879, 1), (5_242_880, 1), (5_242_881, 2), (10_485_760, 2), (52_428_800_000, 10_000),
    (52_428_800_001, 10_000), (53_687_091_200_000, 10_000),
  ]

  @Test(arguments: cuts)
  func partsCoverTheObject(_ size: Int64, _ count: Int) throws {
    let layout = try #require(S3PartLayout(size: size, preferredPartSize: Self.minimum))
    #expect(layout.count <= 10_000)
    #expect(layout.count == count || size > 10_000 * Self.minimum)
    #expect(layout.range(ofPart: 0) == nil)
    #expect(layout.range(ofPart: layout.count + 1) == nil)
    #expect(layout.range(ofPart: 1)?.lowerBound == 0)
    #expect(layout.range(ofPart: layout.count)?.upperBound == size)
    let last = try #require(layout.range(ofPart: layout.count))
    #expect((1...layout.partSize).contains(last.upperBound - last.lowerBound))
  }

  @Test(arguments: [Int64(0), -1, 53_687_091_200_001, .max])
  func whatCannotBeCutIsRefused(_ size: Int64) {
    #expect(S3PartLayout(size: size, preferredPartSize: Self.minimum) == nil)
  }

  static let rules: [([Int64], String?)] = [
    ([], "there are no parts"), ([8, 8, 3], nil), ([8, 8, 8], nil), ([3], nil), ([8, 9], "must not be larger"),
    ([8, 7, 3], "must be equal"), ([3, 3, 1], "need 5"),
  ]

  @Test(arguments: rules)
  func rulesOfR2(_ sizes: [Int64], _ problem: String?) {
    var limits = S3PartLimits()
    limits.minimumSize = 5
    let parts = sizes.enumerated().map { S3CompletedPart(partNumber: $0 + 1, eTag: S3ETag("e"), size: $1) }
    let found = limits.problem(parts)?.1
    #expect(problem.map { found?.contains($0) == true } ?? (found == nil))
  }

  @Test func aMissingPartIsNoticed() {
    let part = S3CompletedPart(partNumber: 2, eTag: S3ETag("e"), size: 1)
    #expect(S3PartLimits().problem([part])?.0 == .invalidPart)
  }
}
