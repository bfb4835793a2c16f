import Testing
import UploadCore

@Suite struct SpaceBudgetTests {
  @Test(arguments: [(899, true), (900, true), (901, false)])
  func `keeps the minimum free`(bytes: Int64, fits: Bool) {
    var budget = SpaceBudget(minimumFree: 100)
    if fits {
      #expect(throws: Never.self) { try budget.reserve(bytes, free: 1_000, stored: 0) }
      #expect(budget.reserved == bytes)
    } else {
      #expect(throws: UploadRejection.noSpace(needed: bytes, free: 1_000, keep: 100)) {
        try budget.reserve(bytes, free: 1_000, stored: 0)
      }
      #expect(budget.reserved == 0)
    }
  }

  @Test(arguments: [(99, true), (100, true), (101, false)])
  func `keeps the quota`(bytes: Int64, fits: Bool) {
    var budget = SpaceBudget(minimumFree: 0, quota: 1_000)
    if fits {
      #expect(throws: Never.self) { try budget.reserve(bytes, free: 1 << 40, stored: 900) }
    } else {
      #expect(throws: UploadRejection.quota(limit: ByteCount(1_000), used: ByteCount(900), needed: bytes)) {
        try budget.reserve(bytes, free: 1 << 40, stored: 900)
      }
      #expect(budget.reserved == 0)
    }
  }

  @Test func `what is reserved counts as used`() throws {
    var budget = SpaceBudget(minimumFree: 100, quota: 1_000)
    try budget.reserve(600, free: 1_100, stored: 0)
    #expect(throws: UploadRejection.noSpace(needed: 401, free: 500, keep: 100)) {
      try budget.reserve(401, free: 1_100, stored: 0)
    }
    #expect(throws: UploadRejection.quota(limit: ByteCount(1_000), used: ByteCount(700), needed: 301)) {
      try budget.reserve(301, free: 1_100, stored: 100)
    }
    try budget.reserve(300, free: 1_100, stored: 100)
    #expect(budget.reserved == 900)
    budget.release(600)
    #expect(budget.reserved == 300)
    budget.release(.max)
    #expect(budget.reserved == 0)
  }

  @Test func `negative numbers reserve and release nothing`() throws {
    var budget = SpaceBudget(minimumFree: 0)
    try budget.reserve(10, free: 100, stored: 0)
    try budget.reserve(-5, free: 100, stored: 0)
    budget.release(-5)
    #expect(budget.reserved == 10)
  }

  @Test func `an empty file needs the minimum too`() {
    var budget = SpaceBudget(minimumFree: 100)
    #expect(throws: UploadRejection.self) { try budget.reserve(0, free: 99, stored: 0) }
    #expect(throws: Never.self) { try budget.reserve(0, free: 100, stored: 0) }
  }

  @Test func `extreme numbers are refused and do not trap`() throws {
    var budget = SpaceBudget(minimumFree: 1, quota: .max)
    #expect(throws: UploadRejection.self) { try budget.reserve(.max, free: .max, stored: 0) }
    try budget.reserve(.max - 1, free: .max, stored: 0)
    #expect(throws: UploadRejection.self) { try budget.reserve(.max, free: .min, stored: .max) }
    var limited = SpaceBudget(minimumFree: .min, quota: 5)
    #expect(throws: UploadRejection.self) { try limited.reserve(.max, free: .max, stored: .max) }
  }

  /// A disk that loses exactly what is written never falls below the minimum.
  @Test(arguments: Seed.all)
  func `uploads in flight cannot fill the disk together`(seed: Seed) throws {
    var generator = seed.generator()
    var budget = SpaceBudget(minimumFree: 50, quota: 900)
    var free: Int64 = 1_000
    var stored: Int64 = 0
    var promised: [Int64] = []
    var refusals = 0
    for _ in 0..<5_000 {
      switch Int.random(in: 0...3, using: &generator) {
      case 0, 1:
        let bytes = Int64.random(in: 0...400, using: &generator)
        do {
          try budget.reserve(bytes, free: free, stored: stored)
          promised.append(bytes)
        } catch {
          refusals += 1
        }
      case 2:
        guard let bytes = promised.popLast() else { continue }
        let written = Int64.random(in: 0...bytes, using: &generator)
        free -= written
        stored += written
        budget.release(bytes)
      default:
        free += stored
        stored = 0
      }
      try #require(budget.reserved == promised.reduce(0, +))
      try #require(free - budget.reserved >= 50)
      try #require(stored + budget.reserved <= 900)
    }
    #expect(refusals > 100)
  }
}
