import Testing
import UploadCore

@Suite struct DeliveryStateMachineTests {
  typealias Machine = DeliveryStateMachine

  private func run(_ machine: inout Machine, _ events: [Machine.Event]) -> [Machine.Action] {
    events.compactMap { machine.handle($0) }
  }

  @Test(
    arguments: [
      (0, 0, 0), (1, 0, 1), (65_535, 0, 65_535), (65_536, 0, 65_536), (65_537, 1, 65_536),
      (1 << 40, (1 << 40) - 65_536, 65_536), (-1, 0, 0),
      (Int64.max, Int64.max - 65_536, 65_536),
    ] as [(Int64, Int64, Int64)])
  func `the last chunk is at most 64 KiB`(size: Int64, bulk: Int64, lastChunk: Int64) {
    let machine = Machine(size: size)
    #expect(machine.bulk == bulk)
    #expect(machine.lastChunk == lastChunk)
  }

  @Test func `a delivery`() {
    var machine = Machine(size: 100_000)
    #expect(machine.handle(.started) == .sendBulk(34_464))
    #expect(machine.handle(.bulkSent) == .waitForAcknowledgement)
    #expect(machine.handle(.peerAcknowledged) == .consume)
    #expect(machine.handle(.consumeSucceeded) == .sendLastChunk(65_536))
    #expect(!machine.isEnded)
    #expect(machine.handle(.lastChunkSent) == .finish)
    #expect(machine.isEnded)
  }

  @Test(arguments: [0, 1, 65_536])
  func `a small file has nothing to wait for`(size: Int64) {
    var machine = Machine(size: size)
    #expect(run(&machine, [.started, .consumeSucceeded, .lastChunkSent]) == [.consume, .sendLastChunk(size), .finish])
  }

  @Test(
    arguments: [
      ([], .clientGone, .release), ([], .stalled, .release), ([], .leaseLost, .abort),
      ([.started], .clientGone, .release), ([.started], .stalled, .release), ([.started], .leaseLost, .abort),
      ([.started, .bulkSent], .clientGone, .release), ([.started, .bulkSent], .stalled, .release),
      ([.started, .bulkSent], .leaseLost, .abort),
      ([.started, .bulkSent, .peerAcknowledged], .consumeFailed, .abort),
      ([.started, .bulkSent, .peerAcknowledged, .clientGone], .consumeFailed, .abort),
      // Spent, but not delivered: the client may resume.
      ([.started, .bulkSent, .peerAcknowledged, .clientGone], .consumeSucceeded, .abort),
      ([.started, .bulkSent, .peerAcknowledged, .consumeSucceeded], .clientGone, .abort),
      ([.started, .bulkSent, .peerAcknowledged, .consumeSucceeded], .stalled, .abort),
    ] as [([Machine.Event], Machine.Event, Machine.Action)])
  func `an end before the end`(events: [Machine.Event], last: Machine.Event, action: Machine.Action) {
    var machine = Machine(size: 100_000)
    _ = run(&machine, events)
    #expect(!machine.isEnded)
    #expect(machine.handle(last) == action)
    #expect(machine.isEnded)
    for event in Machine.Event.allCases { #expect(machine.handle(event) == nil) }
  }

  @Test(arguments: [
    Machine.Event.leaseLost, .stalled, .clientGone, .bulkSent, .peerAcknowledged, .started, .lastChunkSent,
  ])
  func `while consuming only its outcome counts`(event: Machine.Event) {
    var machine = Machine(size: 100_000)
    _ = run(&machine, [.started, .bulkSent, .peerAcknowledged])
    let before = machine
    #expect(machine.handle(event) == nil)
    #expect(!machine.isEnded)
    #expect((machine == before) == (event != .clientGone))
  }

  @Test func `a lost lease after consumption is none`() {
    var machine = Machine(size: 100_000)
    _ = run(&machine, [.started, .bulkSent, .peerAcknowledged, .consumeSucceeded])
    #expect(machine.handle(.leaseLost) == nil)
    #expect(machine.handle(.lastChunkSent) == .finish)
  }

  /// What must hold after any events, told from the events and actions alone.
  private struct Witness {
    var consumeAsked = 0
    var consumeAnswered = false
    var bytesSent: Int64 = 0
    var isClientGone = false
    var ends = 0
    var lastChunks = 0

    /// A broken rule, or `nil`.
    mutating func observe(_ event: Machine.Event, _ action: Machine.Action?) -> String? {
      if event == .clientGone { isClientGone = true }
      guard let action else { return nil }
      if ends > 0 { return "an action after the end" }
      switch action {
      case .sendBulk(let count):
        if event != .started || bytesSent > 0 { return "bulk not at the start" }
        bytesSent += count
      case .waitForAcknowledgement:
        if event != .bulkSent { return "waits for nothing" }
      case .consume:
        consumeAsked += 1
        if consumeAsked > 1 { return "consumes twice" }
        if event != .peerAcknowledged && !(event == .started && bytesSent == 0) {
          return "consumes before the peer has it"
        }
        if isClientGone { return "consumes for a client that is gone" }
      case .sendLastChunk(let count):
        lastChunks += 1
        bytesSent += count
        if consumeAsked != 1 || event != .consumeSucceeded { return "last chunk without consumption" }
        if isClientGone { return "last chunk to a client that is gone" }
        consumeAnswered = true
      case .release:
        if consumeAsked > 0 { return "gives back what may be spent" }
        ends += 1
      case .abort:
        ends += 1
      case .finish:
        if lastChunks != 1 { return "finished without the last chunk" }
        ends += 1
      }
      return nil
    }
  }

  /// All sequences of six events: 9⁶.
  @Test(arguments: [100_000, 65_537, 65_536, 0])
  func `all short sequences of events`(size: Int64) {
    var complete = 0
    var sequences = 0
    var broken: [String] = []
    func extend(_ machine: Machine, _ witness: Witness, _ events: [Machine.Event]) {
      sequences += 1
      guard events.count < 6, broken.count < 5 else { return }
      for event in Machine.Event.allCases {
        var machine = machine
        var witness = witness
        let action = machine.handle(event)
        if let rule = witness.observe(event, action) { broken.append("\(rule): \(events + [event])") }
        if machine.isEnded != (witness.ends > 0) { broken.append("isEnded is wrong: \(events + [event])") }
        if action == .finish {
          complete += 1
          if witness.bytesSent != size { broken.append("finished with \(witness.bytesSent) bytes: \(events)") }
        }
        // Nothing changes after the end: one more level shows it, deeper ones repeat it.
        if !machine.isEnded || events.count < 4 { extend(machine, witness, events + [event]) }
      }
    }
    extend(Machine(size: size), Witness(), [])
    #expect(broken.isEmpty)
    // The search has seen deliveries, and is as large as it should be.
    #expect(complete > 0)
    #expect(sequences > 9 * 9 * 9 * 9)
  }
}
