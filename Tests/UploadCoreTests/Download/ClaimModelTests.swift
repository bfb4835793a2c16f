import Testing
import UploadCore

/// The lease protocol of two nodes over conditional writes, in every order of events.
@Suite struct ClaimModelTests {
  private static let muchLater = noon.adding(seconds: 1_000)

  /// What was seen on the way, so that a search that does not reach the interesting states fails.
  private struct Sightings {
    var complete = 0
    var takeover = 0
    var lateWrite = 0
    var lostConsumption = 0
    var obtainable = 0
    var resumable = 0

    mutating func look(at state: ClaimModel) {
      if state.tailsSent == 1 { complete += 1 }
      if !state.late.isEmpty { lateWrite += 1 }
      for node in state.nodes {
        if case .holding = node.activity, let lease = state.stored?.slot.lease, lease.nonce != node.nonce {
          takeover += 1
        }
        if case .doubting(.consume, _, _) = node.activity, state.stored?.slot.consumedBy == node.nonce {
          lostConsumption += 1
        }
      }
    }
  }

  @Test(arguments: [(2, 1), (2, 2)])
  func `one complete delivery at most, and nothing is spent by accident`(requests: Int, losses: Int) {
    var sightings = Sightings()
    var broken: ClaimModel?
    let states = ClaimModel(requests: requests, losses: losses).explore { state in
      sightings.look(at: state)
      if state.tailsSent > 1 || !Self.canBeFetchedAgain(state, &sightings) { broken = state }
      return broken == nil
    }
    print("\(requests) requests, \(losses) lost answers: \(states) states")
    #expect(broken == nil)
    #expect(sightings.complete > 100)
    #expect(sightings.takeover > 100)
    #expect(sightings.lateWrite > 100)
    #expect(sightings.lostConsumption > 100)
    #expect(sightings.obtainable > 100)
    #expect(sightings.resumable > 100)
  }

  @Test(arguments: ClaimModel.Flaw.allCases)
  func `the search finds flaws`(flaw: ClaimModel.Flaw) {
    var isFound = false
    let states = ClaimModel(requests: 2, losses: 1, flaw: flaw).explore { state in
      isFound = state.tailsSent > 1
      return !isFound
    }
    print("\(flaw): found after \(states) states")
    #expect(isFound)
  }

  /// Whoever has crashed, sleeps or was not answered: a slot that is not consumed can be had when its lease is over, and
  /// one that is consumed can be resumed by its client, who may have missed the end.
  private static func canBeFetchedAgain(_ state: ClaimModel, _ sightings: inout Sightings) -> Bool {
    if let stored = state.stored, case .consumed(let time) = stored.slot.phase {
      guard let client = stored.slot.client?.first else { return false }
      sightings.resumable += 1
      let decision = state.decision(ClaimModel.tailRange, client: Int(client), nonce: 99, at: time)
      if case .resumeConsumed = decision { return true }
      return false
    }
    // Nobody has completed without consuming.
    guard state.tailsSent == 0 else { return false }
    sightings.obtainable += 1
    for client in 0..<2 {
      guard case .lease = state.decision(nil, client: client, nonce: 99, at: muchLater) else { return false }
    }
    return true
  }
}
