/// The seed of a property test. Every run takes some fixed ones and a new one; the new one is printed, and named in
/// every failure. To repeat a failure add its seed to `fixed`.
struct Seed: Hashable, Sendable, CustomStringConvertible {
  static let fixed: [UInt64] = [1, 2, 3]
  static let all: [Seed] = (fixed + [UInt64.random(in: 0...UInt64.max)]).map { Seed(value: $0) }

  let value: UInt64

  var description: String { "seed \(value)" }

  /// The generator; prints the seed.
  func generator(_ test: String = #function) -> SplitMix64 {
    print("\(test): seed \(value)")
    return SplitMix64(seed: value)
  }
}
