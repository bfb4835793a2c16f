import Testing
import UploadCore

@Suite struct UploadPolicyTests {
  static let policy = UploadPolicy()

  private func admit(_ request: UploadRequest, by policy: UploadPolicy = Self.policy) throws(UploadRejection)
    -> Admission
  {
    var generator = SplitMix64(seed: 9)
    return try policy.admit(request, now: noon, using: &generator)
  }

  private func rejection(_ request: UploadRequest, by policy: UploadPolicy = Self.policy) -> UploadRejection? {
    do {
      _ = try admit(request, by: policy)
      return nil
    } catch {
      return error
    }
  }

  private func code(_ request: UploadRequest, by policy: UploadPolicy = Self.policy) -> String? {
    rejection(request, by: policy)?.code
  }

  @Test func `defaults`() {
    #expect(Self.policy.maxUploadSize.description == "5 GiB")
    #expect(Self.policy.maxAge == 3_600)
    #expect(Self.policy.maxAgeForMultidownload == 86_400)
    #expect(!Self.policy.allowLifetimeOverMaxAge)
    #expect(Self.policy.maxDownloads == 1_000)
    #expect(Self.policy.lifetimeLimit == 86_400)
    #expect(UploadPolicy.longestLifetime == 316_224_000)
  }

  @Test func `one download within MAX_AGE without headers`() throws {
    let admission = try admit(UploadRequest(declaredSize: 0))
    #expect(admission.maxDownloads == .one)
    #expect(admission.createdAt == noon)
    #expect(admission.expiresAt == noon.adding(seconds: 3_600))
    #expect(admission.id.expiresAt == admission.expiresAt)
    #expect(admission.sizeLimit == 0)
  }

  @Test func `counted, timed and both`() throws {
    let counted = try admit(UploadRequest(declaredSize: 0, maxDownloadsHeader: "7"))
    #expect(counted.maxDownloads == limit(7))
    #expect(counted.expiresAt == noon.adding(seconds: 3_600))
    let timed = try admit(UploadRequest(declaredSize: 0, expirationSeconds: "50"))
    #expect(timed.maxDownloads == nil)
    #expect(timed.expiresAt == noon.adding(seconds: 50))
    let both = try admit(UploadRequest(declaredSize: 0, expirationSeconds: "50", maxDownloadsHeader: "7"))
    #expect(both.maxDownloads == limit(7))
    #expect(both.expiresAt == noon.adding(seconds: 50))
    let days = try admit(UploadRequest(declaredSize: 0, maxDaysHeader: "1"))
    #expect(days.maxDownloads == nil)
    #expect(days.expiresAt == noon.adding(seconds: 86_400))
    let daysAndCount = try admit(UploadRequest(declaredSize: 0, maxDaysHeader: "1", maxDownloadsHeader: "1"))
    #expect(daysAndCount.maxDownloads == .one)
    #expect(daysAndCount.expiresAt == noon.adding(seconds: 86_400))
  }

  @Test(
    arguments: [
      (nil, 600), (0, 0), (1, 1), ((1 << 20) - 1, 1), (1 << 20, 1), ((1 << 20) + 1, 2), (5 << 30, 5_120),
      (Int64.max, 8_796_093_022_208),
      (-1, 0),
    ] as [(Int64?, Int64)])
  func `allowance for the transfer`(declared: Int64?, seconds: Int64) {
    #expect(Lifetime.transferAllowance(declaredSize: declared) == seconds)
  }

  @Test func `the allowance is part of the expiry`() throws {
    #expect(try admit(UploadRequest()).expiresAt == noon.adding(seconds: 3_600 + 600))
    #expect(try admit(UploadRequest(declaredSize: 1)).expiresAt == noon.adding(seconds: 3_601))
    #expect(
      try admit(UploadRequest(declaredSize: 10 << 20, expirationSeconds: "5")).expiresAt == noon.adding(seconds: 15))
  }

  @Test func `the expiry is a whole second and never early`() throws {
    var generator = SplitMix64(seed: 1)
    let admission = try Self.policy.admit(
      UploadRequest(declaredSize: 0), now: noon.adding(milliseconds: 1), using: &generator)
    #expect(admission.expiresAt == noon.adding(seconds: 3_601))
    #expect(admission.createdAt == noon.adding(milliseconds: 1))
  }

  @Test func `the size limit is the declared size, or the largest`() throws {
    #expect(try admit(UploadRequest()).sizeLimit == 5 << 30)
    #expect(try admit(UploadRequest(declaredSize: 17)).sizeLimit == 17)
    #expect(try admit(UploadRequest(declaredSize: 5 << 30)).sizeLimit == 5 << 30)
  }

  @Test func `too large by one byte`() {
    let declared: Int64 = (5 << 30) + 1
    #expect(
      rejection(UploadRequest(declaredSize: declared)) == .tooLarge(limit: ByteCount(5 << 30), declared: declared))
    #expect(code(UploadRequest(declaredSize: .max)) == "too-large")
    #expect(code(UploadRequest(declaredSize: -1)) == "bad-header")
  }

  static let malformed = [
    "", " ", "0", "00", "-1", "+1", "1.5", "1e3", "0x10", "1 0", "abc", "1a", "٣", "1\u{0}", "1\n", "１",
    "9223372036854775808",
    "99999999999999999999999999", "1,2", "1\u{301}", "\u{A0}1",
  ]

  @Test(arguments: malformed)
  func `values that are no positive integer`(value: String) {
    let headers: [(String, UploadRequest)] = [
      ("X-Expiration-Seconds", UploadRequest(expirationSeconds: value)),
      ("Max-Days", UploadRequest(maxDaysHeader: value)),
      ("X-Max-Downloads", UploadRequest(maxDownloadsHeader: value)),
      ("X-Max-Downloads", UploadRequest(expirationSeconds: "5", maxDownloadsHeader: value)),
    ]
    for (name, request) in headers {
      guard case .badHeader(name, value, _) = rejection(request) else {
        Issue.record("\(name): \(value) was not refused as such")
        continue
      }
    }
  }

  @Test(arguments: ["5", " 5", "5 ", "  5\t", "05", "0000000000000000000000005"])
  func `spaces around and zeros before a value`(value: String) throws {
    #expect(try admit(UploadRequest(declaredSize: 0, expirationSeconds: value)).expiresAt == noon.adding(seconds: 5))
    #expect(try admit(UploadRequest(maxDownloadsHeader: value)).maxDownloads == limit(5))
  }

  @Test(arguments: [(86_399, true), (86_400, true), (86_401, false), (Int64.max, false)])
  func `lifetime limit`(seconds: Int64, fits: Bool) {
    let wanted: UploadRejection? =
      fits ? nil : .lifetimeAboveLimit(header: "X-Expiration-Seconds", seconds: seconds, limit: 86_400)
    #expect(rejection(UploadRequest(expirationSeconds: String(seconds))) == wanted)
    #expect(rejection(UploadRequest(expirationSeconds: String(seconds), maxDownloadsHeader: "2")) == wanted)
  }

  @Test(arguments: [
    (UploadPolicy.longestLifetime - 1, true), (UploadPolicy.longestLifetime, true),
    (UploadPolicy.longestLifetime + 1, false),
  ])
  func `longest lifetime with ALLOW_LIFETIME_OVER_MAX_AGE`(seconds: Int64, fits: Bool) {
    let policy = UploadPolicy(allowLifetimeOverMaxAge: true)
    #expect(
      code(UploadRequest(expirationSeconds: String(seconds)), by: policy) == (fits ? nil : "lifetime-above-limit"))
  }

  @Test func `days`() {
    let twoDays = UploadPolicy(maxAgeForMultidownload: 2 * 86_400)
    #expect(code(UploadRequest(maxDaysHeader: "2"), by: twoDays) == nil)
    #expect(
      rejection(UploadRequest(maxDaysHeader: "3"), by: twoDays)
        == .lifetimeAboveLimit(header: "Max-Days", seconds: 259_200, limit: 172_800))
    let long = UploadPolicy(allowLifetimeOverMaxAge: true)
    #expect(code(UploadRequest(maxDaysHeader: "3660"), by: long) == nil)
    #expect(code(UploadRequest(maxDaysHeader: "3661"), by: long) == "lifetime-above-limit")
    // The last number of days whose seconds 64 bits can hold, and the next.
    #expect(code(UploadRequest(maxDaysHeader: "106751991167300"), by: long) == "lifetime-above-limit")
    #expect(code(UploadRequest(maxDaysHeader: "106751991167301"), by: long) == "bad-header")
  }

  @Test func `days and seconds together`() {
    guard
      case .badHeader("Max-Days", "1", let requirement) = rejection(
        UploadRequest(expirationSeconds: "5", maxDaysHeader: "1"))
    else {
      Issue.record("was not refused")
      return
    }
    #expect(requirement.contains("X-Expiration-Seconds"))
  }

  @Test(arguments: [(999, true), (1_000, true), (1_001, false), (Int.max, false)])
  func `downloads limit`(count: Int, fits: Bool) {
    let wanted: UploadRejection? = fits ? nil : .downloadsAboveLimit(count, limit: 1_000)
    #expect(rejection(UploadRequest(maxDownloadsHeader: String(count))) == wanted)
  }

  @Test func `a clock outside of what ids can say`() {
    var generator = SplitMix64(seed: 1)
    for now in [Timestamp(seconds: 0), Timestamp(milliseconds: .max), Timestamp(seconds: 4_000_000_000)] {
      do {
        _ = try Self.policy.admit(UploadRequest(), now: now, using: &generator)
        Issue.record("admitted at \(now.rfc3339)")
      } catch {
        #expect(error.code == "expiry-out-of-range")
      }
    }
  }

  @Test(arguments: Seed.all)
  func `an admission keeps the policy`(seed: Seed) throws {
    var generator = seed.generator()
    let values = ["1", "2", "999", "1000", "1001", "86400", "86401", "0", "x", "-1", " 7 ", ""]
    var admitted = 0
    for _ in 0..<3_000 {
      let request = UploadRequest(
        declaredSize: Bool.random(using: &generator) ? nil : .random(in: -5...(6 << 30), using: &generator),
        expirationSeconds: Int.random(in: 0...2, using: &generator) == 0
          ? values.randomElement(using: &generator) : nil,
        maxDaysHeader: Int.random(in: 0...4, using: &generator) == 0 ? values.randomElement(using: &generator) : nil,
        maxDownloadsHeader: Bool.random(using: &generator) ? values.randomElement(using: &generator) : nil
      )
      guard let admission = try? Self.policy.admit(request, now: noon, using: &generator) else { continue }
      admitted += 1
      let lifetime = admission.expiresAt.milliseconds(since: noon) / 1_000
      try #require((1...(86_400 + 5_120)).contains(lifetime))
      try #require((admission.maxDownloads?.count ?? 1) <= 1_000)
      try #require(admission.sizeLimit <= 5 << 30)
      try #require(
        (admission.maxDownloads == nil)
          == (request.maxDownloadsHeader == nil && (request.expirationSeconds ?? request.maxDaysHeader) != nil))
    }
    #expect(admitted > 300)
  }
}
