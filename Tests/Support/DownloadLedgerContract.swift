import Server
import UploadCore

/// What every `DownloadLedger` keeps. One suite over all implementations.
///
/// The rules themselves are tested in UploadCore; this is about keeping them atomically, and durably.
package struct DownloadLedgerContract {
  private let ledger: any DownloadLedger
  /// Stores the record where the ledger looks for it, and gives it back.
  private let makeUpload: (_ downloads: Int, _ size: Int64) async throws -> UploadRecord
  private let start: Timestamp
  /// What the ledger was made with.
  private let leaseSeconds: Int64
  private let resumeSeconds: Int64
  /// All requests meet one process, which knows of the others.
  private let isOneProcess: Bool

  package init(
    _ ledger: any DownloadLedger, start: Timestamp, leaseSeconds: Int64, resumeSeconds: Int64,
    isOneProcess: Bool = true,
    makeUpload: @escaping (_ downloads: Int, _ size: Int64) async throws -> UploadRecord
  ) {
    self.ledger = ledger
    self.start = start
    self.leaseSeconds = leaseSeconds
    self.resumeSeconds = resumeSeconds
    self.isOneProcess = isOneProcess
    self.makeUpload = makeUpload
  }

  private static let alice: [UInt8] = [1]
  private static let bob: [UInt8] = [2]
  private static let size: Int64 = 1_000_000

  package func run() async throws {
    for downloads in [1, 3] { try await oneSlotPerDelivery(downloads) }
    try await releasedSlotIsFreeAtOnce()
    try await expiredLeaseIsTakenOver()
    try await renewedLeaseIsKept()
    try await holderIsNotReplacedByTheClockAlone()
    try await consumedIsFinal()
    try await sameClientResumes()
    try await consumeIsRepeatable()
    try await partsSpendNothing()
    try await refundedPartsSpendNothing()
    try await smallFilesAreSpentInOneStep()
    try await concurrentRequestsGetDifferentSlots()
    try await sixteenPiecesAtOnce()
    try await usedUpByPiecesIsGone()
    if isOneProcess {
      try await requestsOfOneClientShareTheirSlot()
      try await wholeEndsAfterItsPieceGaveUp()
    }
    try await wholeDeliveriesOfOneClientAreTwo()
  }

  private func whole(_ client: [UInt8]) -> DeliveryRequest {
    DeliveryRequest(size: Self.size, range: nil, client: client)
  }

  private func holder(_ record: UploadRecord, _ decision: LeaseDecision, _ promise: String) throws -> SlotHolder {
    guard case .lease(let slot, _) = decision, let nonce = slot.lease?.nonce else {
      throw ContractViolation(description: "\(promise), not \(decision)")
    }
    return SlotHolder(id: record.id, size: record.size, slot: slot.number, nonce: nonce)
  }

  private func oneSlotPerDelivery(_ downloads: Int) async throws {
    let record = try await makeUpload(downloads, Self.size)
    var holders: [SlotHolder] = []
    for _ in 0..<downloads {
      holders.append(
        try holder(record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased"))
    }
    try ContractViolation.check(
      Set(holders.map(\.slot)).count == downloads, "\(downloads) downloads have \(downloads) slots")
    guard case .locked(let seconds) = try await ledger.begin(record, whole(Self.bob), now: start) else {
      throw ContractViolation(description: "all slots leased is locked")
    }
    try ContractViolation.check(1...Int(leaseSeconds) ~= seconds, "Retry-After is within the lease")
    for holder in holders {
      try ContractViolation.check(
        try await ledger.consume(holder, bytesSent: Self.size, now: start), "the holder can consume its slot")
    }
    try ContractViolation.check(
      try await ledger.begin(record, whole(Self.bob), now: start) == .gone, "all slots consumed is gone")
  }

  private func releasedSlotIsFreeAtOnce() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    try await ledger.release(first, bytesSent: 10, now: start)
    _ = try holder(
      record, try await ledger.begin(record, whole(Self.bob), now: start), "a released slot is leased at once")
    try ContractViolation.check(
      try await !ledger.consume(first, bytesSent: Self.size, now: start), "who has released cannot consume")
  }

  private func expiredLeaseIsTakenOver() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let later = start.adding(seconds: leaseSeconds)
    let second = try holder(
      record, try await ledger.begin(record, whole(Self.bob), now: later), "an expired lease is taken over")
    try ContractViolation.check(
      try await !ledger.renew(first, bytesSent: 0, now: later), "who was replaced cannot renew")
    try ContractViolation.check(
      try await !ledger.consume(first, bytesSent: Self.size, now: later), "who was replaced cannot consume")
    try await ledger.release(first, bytesSent: 0, now: later)
    try ContractViolation.check(
      try await ledger.consume(second, bytesSent: Self.size, now: later),
      "a late release of another does not free the slot")
  }

  private func renewedLeaseIsKept() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let almost = start.adding(seconds: leaseSeconds - 1)
    try ContractViolation.check(try await ledger.renew(first, bytesSent: 10, now: almost), "the holder can renew")
    guard case .locked = try await ledger.begin(record, whole(Self.bob), now: start.adding(seconds: leaseSeconds + 1))
    else {
      throw ContractViolation(description: "a renewed lease is not taken over")
    }
  }

  private func holderIsNotReplacedByTheClockAlone() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let late = start.adding(seconds: 100 * leaseSeconds)
    try ContractViolation.check(
      try await ledger.consume(first, bytesSent: Self.size, now: late), "a late holder that nobody replaced may consume"
    )
  }

  private func consumedIsFinal() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    _ = try await ledger.consume(first, bytesSent: Self.size, now: start)
    try await ledger.release(first, bytesSent: 0, now: start)
    let year = start.adding(seconds: 31_536_000)
    try ContractViolation.check(
      try await ledger.begin(record, whole(Self.alice), now: year) == .gone, "consumed is final")
  }

  private func consumeIsRepeatable() async throws {
    let record = try await makeUpload(1, Self.size)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    for _ in 1...2 {
      try ContractViolation.check(
        try await ledger.consume(first, bytesSent: Self.size, now: start), "who lost the answer may ask again")
    }
  }

  private func sameClientResumes() async throws {
    let record = try await makeUpload(1, Self.size)
    let tail = DeliveryRequest(size: Self.size, range: 500_000...999_999, client: Self.alice)
    let first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let second = try holder(
      record, try await ledger.begin(record, tail, now: start), "the same client resumes its slot")
    try ContractViolation.check(
      try await !ledger.consume(first, bytesSent: Self.size, now: start),
      "a resumed delivery replaces the hung one, when it is not known whose that is")
    try ContractViolation.check(
      try await ledger.consume(second, bytesSent: 500_000, now: start), "the resumed one consumes")
    let soon = start.adding(seconds: resumeSeconds - 1)
    guard case .resumeConsumed = try await ledger.begin(record, tail, now: soon) else {
      throw ContractViolation(description: "a lost last packet can be resumed")
    }
    let other = DeliveryRequest(size: Self.size, range: 500_000...999_999, client: Self.bob)
    try ContractViolation.check(try await ledger.begin(record, other, now: soon) == .gone, "but not by another client")
    let late = start.adding(seconds: resumeSeconds)
    try ContractViolation.check(try await ledger.begin(record, tail, now: late) == .gone, "and not later")
  }

  private func partsSpendNothing() async throws {
    let record = try await makeUpload(1, Self.size)
    let probe = DeliveryRequest(size: Self.size, range: 0...0, client: Self.alice)
    for _ in 0..<50 {
      guard case .part = try await ledger.begin(record, probe, now: start) else {
        throw ContractViolation(description: "a probe of one byte takes no slot")
      }
    }
    _ = try holder(record, try await ledger.begin(record, whole(Self.bob), now: start), "probes spend nothing")
  }

  private func refundedPartsSpendNothing() async throws {
    let record = try await makeUpload(1, Self.size)
    let part = DeliveryRequest(size: Self.size, range: 0...8_191, client: Self.alice)
    for _ in 0..<(2 * DownloadSlot.maximumAttempts) {
      guard case .part(let slot, _) = try await ledger.begin(record, part, now: start) else {
        throw ContractViolation(description: "a part that was refunded counts no more")
      }
      let holder = SlotHolder(
        id: record.id, size: record.size, slot: slot.number, nonce: 0, client: Self.alice)
      try await ledger.endPiece(holder, charged: 8_192, sent: 0, now: start)
    }
    _ = try holder(
      record, try await ledger.begin(record, whole(Self.bob), now: start), "refunded parts spend nothing")
  }

  /// Pieces of one client, all at once and the last one too: each is served, one download is spent.
  private func sixteenPiecesAtOnce() async throws {
    let record = try await makeUpload(1, 16_000_000)
    let (ledger, start) = (ledger, start)
    let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
      for piece in 0..<16 as Range<Int64> {
        group.addTask {
          let range = (piece * 1_000_000)...(piece * 1_000_000 + 999_999)
          let request = DeliveryRequest(size: 16_000_000, range: range, client: Self.alice)
          switch try await ledger.begin(record, request, now: start) {
          case .part, .resumeConsumed: return true
          case .lease(let slot, _):
            let holder = SlotHolder(id: record.id, size: record.size, slot: 1, nonce: slot.lease?.nonce ?? 0)
            return try await ledger.consume(holder, bytesSent: 1_000_000, now: start)
          case .locked, .gone: return false
          }
        }
      }
      return try await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    try ContractViolation.check(outcomes.allSatisfy { $0 }, "16 pieces at once are served")
    let again = DeliveryRequest(size: 16_000_000, range: nil, client: Self.bob)
    try ContractViolation.check(try await ledger.begin(record, again, now: start) == .gone, "and one download is spent")
  }

  private func usedUpByPiecesIsGone() async throws {
    let record = try await makeUpload(1, Self.size)
    let piece = DeliveryRequest(size: Self.size, range: 0...999_998, client: Self.alice)
    var count = 0
    while case .part(let slot, _) = try await ledger.begin(record, piece, now: start) {
      var holder = SlotHolder(
        id: record.id, size: record.size, slot: slot.number, nonce: 0, client: Self.alice)
      holder.isUsedUp = slot.isExhausted(size: record.size)
      try await ledger.endPiece(holder, charged: 999_999, sent: 999_999, now: start)
      count += 1
      try ContractViolation.check(count <= 4, "pieces are bounded by the byte budget")
    }
    try ContractViolation.check(
      try await ledger.begin(record, whole(Self.bob), now: start) == .gone, "a slot that pieces have used up is gone")
  }

  /// A whole download and a piece with the last byte of one client: whichever comes first spends the download, and the
  /// other one ends as well. A stranger in between gets nothing.
  private func requestsOfOneClientShareTheirSlot() async throws {
    for wholeIsFirst in [true, false] {
      let record = try await makeUpload(1, Self.size)
      var first = try holder(
        record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
      let tail = DeliveryRequest(size: Self.size, range: 500_000...999_999, client: Self.alice)
      var second = try holder(record, try await ledger.begin(record, tail, now: start), "the same client goes on")
      first.client = Self.alice
      second.client = Self.alice
      second.isPiece = true
      var stranger = first
      stranger.client = Self.bob
      try ContractViolation.check(
        try await ledger.renew(first, bytesSent: 1, now: start), "the slot is still with the same client")
      try ContractViolation.check(
        try await !ledger.consume(stranger, bytesSent: Self.size, now: start), "another client completes nothing")
      for holder in wholeIsFirst ? [first, second] : [second, first] {
        try ContractViolation.check(
          try await ledger.consume(holder, bytesSent: 500_000, now: start), "both requests of one client are completed")
      }
      try ContractViolation.check(
        try await ledger.begin(record, whole(Self.alice), now: start) == .gone, "and one download is spent")
      try ContractViolation.check(
        try await !ledger.consume(first, bytesSent: Self.size, now: start.adding(seconds: resumeSeconds + 1))
          || wholeIsFirst, "not later than a resumption")
    }
  }

  /// lftp does that: the piece with the last byte is dropped because the first connection has read that far.
  private func wholeEndsAfterItsPieceGaveUp() async throws {
    let record = try await makeUpload(1, Self.size)
    var first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let tail = DeliveryRequest(size: Self.size, range: 500_000...999_999, client: Self.alice)
    var second = try holder(record, try await ledger.begin(record, tail, now: start), "the same client goes on")
    first.client = Self.alice
    second.client = Self.alice
    second.isPiece = true
    try await ledger.release(second, bytesSent: 100, now: start)
    try ContractViolation.check(
      try await ledger.consume(first, bytesSent: Self.size, now: start), "who began the download may finish it")
  }

  /// Two deliveries of the whole file are two, also to one client.
  private func wholeDeliveriesOfOneClientAreTwo() async throws {
    let record = try await makeUpload(1, Self.size)
    var first = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: start), "a free slot is leased")
    let later = start.adding(seconds: leaseSeconds)
    var second = try holder(
      record, try await ledger.begin(record, whole(Self.alice), now: later), "an expired lease is taken over")
    first.client = Self.alice
    second.client = Self.alice
    try ContractViolation.check(
      try await !ledger.renew(first, bytesSent: 0, now: later), "who was replaced by a whole delivery cannot renew")
    try ContractViolation.check(
      try await ledger.consume(second, bytesSent: Self.size, now: later), "the second one consumes")
    try ContractViolation.check(
      try await !ledger.consume(first, bytesSent: Self.size, now: later), "the first one is not completed")
  }

  private func smallFilesAreSpentInOneStep() async throws {
    let record = try await makeUpload(1, 100)
    let request = DeliveryRequest(size: 100, range: nil, client: Self.alice)
    guard case .lease = try await ledger.beginAndConsume(record, request, now: start) else {
      throw ContractViolation(description: "a small download is leased and consumed")
    }
    try ContractViolation.check(try await ledger.beginAndConsume(record, request, now: start) == .gone, "once")
  }

  /// 32 at a time: never more leases than slots.
  private func concurrentRequestsGetDifferentSlots() async throws {
    let record = try await makeUpload(3, Self.size)
    let (ledger, start) = (ledger, start)
    let leases = try await withThrowingTaskGroup(of: Int?.self) { group in
      for index in 0..<32 {
        group.addTask {
          let request = DeliveryRequest(size: Self.size, range: nil, client: [UInt8(index)])
          guard case .lease(let slot, _) = try await ledger.begin(record, request, now: start) else { return nil }
          return slot.number
        }
      }
      return try await group.reduce(into: [Int]()) { if let slot = $1 { $0.append(slot) } }
    }
    try ContractViolation.check(
      leases.sorted() == [1, 2, 3], "32 requests get each of 3 slots once, not \(leases.sorted())")
  }
}
