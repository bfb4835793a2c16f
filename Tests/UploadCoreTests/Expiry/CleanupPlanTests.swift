import Testing
import UploadCore

@Suite struct CleanupPlanTests {
  @Test(arguments: [(-1, false), (0, true), (1, true)])
  func `an expired upload goes: object, claims, row`(milliseconds: Int64, isGone: Bool) {
    let id = makeID()
    let row = CleanupRow(id: id, phase: .stored)
    let actions = CleanupPlan.actions(for: [row], now: noon.adding(milliseconds: milliseconds))
    #expect(actions == (isGone ? [.deleteObject(id), .deleteClaims(id), .forget(id)] : []))
  }

  @Test(arguments: [(59_999, false), (60_000, true), (60_001, true)])
  func `a consumed upload is kept for resumption, then its bytes go and its claims stay`(
    milliseconds: Int64, isGone: Bool
  ) {
    let id = makeID(expiring: noon.adding(seconds: 3_600))
    let row = CleanupRow(id: id, phase: .consumed(at: noon))
    let actions = CleanupPlan.actions(for: [row], now: noon.adding(milliseconds: milliseconds))
    #expect(actions == (isGone ? [.deleteObject(id)] : []))
  }

  static let reasons: [(CleanupRow.Phase, ExpiredBlob.Reason?, ExpiredBlob.Reason)] = [
    (.uploading, nil, .unfinished), (.stored, nil, .expired),
    (.consumed(at: noon.adding(seconds: -61)), .consumed, .expired),
    (.consumed(at: noon.adding(seconds: -60)), nil, .expired), (.deleted, .deleted, .deleted),
    (.blocked, .blocked, .blocked),
  ]

  /// Just before the expiry, and at it.
  @Test(arguments: reasons)
  func `why bytes go`(phase: CleanupRow.Phase, before: ExpiredBlob.Reason?, after: ExpiredBlob.Reason) {
    let row = CleanupRow(id: makeID(), phase: phase)
    let gone = CleanupPlan.expiredBlobs(in: [row], now: noon.adding(milliseconds: -1))
    #expect(gone == (before.map { [ExpiredBlob(id: row.id, reason: $0)] } ?? []))
    #expect(CleanupPlan.expiredBlobs(in: [row], now: noon) == [ExpiredBlob(id: row.id, reason: after)])
    let absent = CleanupRow(id: row.id, phase: phase, hasObject: false)
    #expect(CleanupPlan.expiredBlobs(in: [absent], now: noon).isEmpty)
  }

  @Test func `expiry does not wait for resumption`() {
    let id = makeID()
    let row = CleanupRow(id: id, phase: .consumed(at: noon))
    #expect(CleanupPlan.actions(for: [row], now: noon) == [.deleteObject(id), .deleteClaims(id), .forget(id)])
  }

  @Test func `the time of resumption is a parameter`() {
    let id = makeID(expiring: noon.adding(seconds: 3_600))
    let row = CleanupRow(id: id, phase: .consumed(at: noon))
    #expect(CleanupPlan.actions(for: [row], now: noon, resumeSeconds: 0) == [.deleteObject(id)])
    #expect(CleanupPlan.expiredBlobs(in: [row], now: noon.adding(seconds: 9), resumeSeconds: 10).isEmpty)
  }

  @Test(arguments: [CleanupRow.Phase.deleted, .blocked])
  func `what was taken away goes at once, its row stays until expiry`(phase: CleanupRow.Phase) {
    let id = makeID()
    let row = CleanupRow(id: id, phase: phase)
    #expect(CleanupPlan.actions(for: [row], now: noon.adding(seconds: -100)) == [.deleteObject(id)])
    #expect(CleanupPlan.actions(for: [row], now: noon) == [.deleteObject(id), .deleteClaims(id), .forget(id)])
  }

  @Test func `an unfinished upload has until its expiry`() {
    let id = makeID()
    let row = CleanupRow(id: id, phase: .uploading)
    #expect(CleanupPlan.actions(for: [row], now: noon.adding(milliseconds: -1)).isEmpty)
    #expect(CleanupPlan.actions(for: [row], now: noon) == [.deleteObject(id), .deleteClaims(id), .forget(id)])
  }

  @Test func `bytes that are gone are not deleted again`() {
    let id = makeID()
    let row = CleanupRow(id: id, phase: .deleted, hasObject: false)
    #expect(CleanupPlan.actions(for: [row], now: noon.adding(seconds: -1)).isEmpty)
    #expect(CleanupPlan.actions(for: [row], now: noon) == [.deleteClaims(id), .forget(id)])
  }

  @Test func `buckets go when all of their ids are over`() throws {
    let id = makeID()
    let end = try #require(UploadID.bucketEnd(id.bucket))
    let names = [id.bucket, "zzzz", "tmp", "INDEX", "0000"]
    #expect(CleanupPlan.actions(for: [], buckets: names, now: end.adding(milliseconds: -1)) == [.removeBucket("0000")])
    #expect(
      CleanupPlan.actions(for: [], buckets: names, now: end) == [.removeBucket(id.bucket), .removeBucket("0000")])
  }

  /// Runs the plan on a model of store and index that stops after any number of steps, then again to the end.
  @Test(arguments: Seed.all)
  func `a crash at any step leaves nothing that nobody knows, and the next run ends the work`(seed: Seed) throws {
    var generator = seed.generator()
    var deleted = 0
    for _ in 0..<300 {
      var rows: [CleanupRow] = (0..<6).map { _ in
        let expiry = noon.adding(seconds: .random(in: -100...100, using: &generator))
        let time = noon.adding(seconds: .random(in: -120...0, using: &generator))
        let phases: [CleanupRow.Phase] = [.uploading, .stored, .consumed(at: time), .deleted, .blocked]
        return CleanupRow(
          id: makeID(expiring: expiry, seed: generator.next()),
          phase: phases.randomElement(using: &generator) ?? .stored)
      }
      let all = rows
      var objects = Set(rows.map(\.id))
      var claims = objects
      func execute(_ actions: some Sequence<CleanupAction>) throws {
        for action in actions {
          switch action {
          case .deleteObject(let id): objects.remove(id)
          case .deleteClaims(let id):
            try #require(!objects.contains(id), "claims before the object")
            try #require(id.isExpired(at: noon), "claims of an upload that lives")
            claims.remove(id)
          case .forget(let id):
            try #require(!objects.contains(id) && !claims.contains(id), "the row before the store")
            rows.removeAll { $0.id == id }
          case .removeBucket: break
          }
        }
      }
      let plan = CleanupPlan.actions(for: rows, now: noon)
      try execute(plan.prefix(.random(in: 0...plan.count, using: &generator)))
      try #require(objects.union(claims).isSubset(of: Set(rows.map(\.id))))
      try execute(CleanupPlan.actions(for: rows, now: noon))
      for row in all {
        let isOver = row.id.isExpired(at: noon)
        let isWithdrawn = row.phase == .deleted || row.phase == .blocked
        let isSpent = if case .consumed(let time) = row.phase { time.adding(seconds: 60) <= noon } else { false }
        try #require(objects.contains(row.id) == !(isOver || isWithdrawn || isSpent))
        try #require(rows.contains { $0.id == row.id } == !isOver)
        try #require(claims.contains(row.id) == !isOver)
      }
      deleted += all.count - objects.count
    }
    #expect(deleted > 300)
  }
}
