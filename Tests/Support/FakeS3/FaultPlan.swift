/// Which calls go wrong, and how often each operation was called.
package struct FaultPlan: Sendable {
  /// Calls so far, by operation.
  package private(set) var calls: [String: Int] = [:]
  private var rules: [Rule] = []
  private var random: Random?

  private struct Rule {
    var operation: String?
    /// Counts down; the call at 1 is hit.
    var countdown: Int
    var fault: FakeS3Fault
    var retryAfter: Int?
  }

  private struct Random {
    var seed: UInt64
    var rate: Double
    var faults: [FakeS3Fault]
  }

  /// Hits the `nth` call (from 1, counted from now) of an operation, or of all.
  ///
  /// - Parameter retryAfter: in seconds, for answers that say so.
  package mutating func fail(
    _ fault: FakeS3Fault, of operation: String? = nil, nth: Int = 1, retryAfter: Int? = nil
  ) {
    rules.append(Rule(operation: operation, countdown: nth, fault: fault, retryAfter: retryAfter))
  }

  /// Hits calls at random: which ones depends only on the seed and on how many calls came before.
  package mutating func failAtRandom(seed: UInt64, rate: Double, _ faults: [FakeS3Fault] = FakeS3Fault.quick) {
    random = Random(seed: seed, rate: rate, faults: faults)
  }

  /// From now on all goes well; the counts begin again.
  package mutating func reset() {
    self = FaultPlan()
  }

  /// Counts a call, and says what happens to it.
  mutating func next(_ operation: String) -> (fault: FakeS3Fault, retryAfter: Int?)? {
    calls[operation, default: 0] += 1
    var hit: (FakeS3Fault, Int?)?
    for index in rules.indices where rules[index].operation == nil || rules[index].operation == operation {
      rules[index].countdown -= 1
      if rules[index].countdown == 0 { hit = hit ?? (rules[index].fault, rules[index].retryAfter) }
    }
    rules.removeAll { $0.countdown <= 0 }
    return hit ?? randomFault().map { ($0, nil) }
  }

  private func randomFault() -> FakeS3Fault? {
    guard let random, !random.faults.isEmpty else { return nil }
    let call = UInt64(calls.values.reduce(0, +))
    let number = Self.mix(random.seed &+ call &* 0x9E37_79B9_7F4A_7C15)
    guard Double(number >> 11) / Double(1 << 53) < random.rate else { return nil }
    return random.faults[Int(Self.mix(number) % UInt64(random.faults.count))]
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
