import R2Client
import Synchronization
import UploadCore

/// What this process has seen of claims. A hint and no truth, but for slots that are consumed: nothing leads away from
/// there. Bounded; what was not used for longest is forgotten first.
package final class ClaimMemory: Sendable {
  private struct Upload {
    var claims: [Int: StoredClaim] = [:]
    /// When this process has written a claim last.
    var written: [Int: ContinuousClock.Instant] = [:]
    var limit: DownloadLimit?
    var isGone = false
    var isReported = false
    /// Larger is later.
    var used: UInt64 = 0
  }

  private struct State {
    var uploads: [UploadID: Upload] = [:]
    var claimCount = 0
    var uses: UInt64 = 0
  }

  private let uploadCapacity: Int
  private let claimCapacity: Int
  private let state = Mutex(State())

  package init(uploadCapacity: Int = 10_000, claimCapacity: Int = 50_000) {
    self.uploadCapacity = uploadCapacity
    self.claimCapacity = claimCapacity
  }

  package var uploadCount: Int { state.withLock { $0.uploads.count } }

  package func claims(_ id: UploadID) -> [Int: StoredClaim] {
    read(id) { $0.claims } ?? [:]
  }

  package func claim(_ id: UploadID, _ number: Int) -> StoredClaim? {
    read(id) { $0.claims[number] } ?? nil
  }

  /// How long ago this process has written the claim.
  func sinceWrite(_ id: UploadID, _ number: Int) -> Duration? {
    read(id) { $0.written[number]?.duration(to: .now) } ?? nil
  }

  func limit(_ id: UploadID) -> DownloadLimit? {
    read(id) { $0.limit } ?? nil
  }

  package func remember(_ claim: StoredClaim, of id: UploadID, isWritten: Bool = false) {
    change(id) { upload in
      let number = claim.claim.slot.number
      if isWritten { upload.written[number] = .now }
      // A read that was under way while the slot was consumed comes too late.
      if upload.claims[number]?.claim.slot.isConsumed == true, !claim.claim.slot.isConsumed { return }
      upload.claims[number] = claim
    }
  }

  package func remember(_ limit: DownloadLimit, of id: UploadID) {
    change(id) { $0.limit = limit }
  }

  /// The upload was deleted or blocked.
  func isGone(_ id: UploadID) -> Bool {
    read(id) { $0.isGone } ?? false
  }

  func rememberGone(_ id: UploadID) {
    change(id) { $0.isGone = true }
  }

  /// Somebody was told that every slot is consumed.
  func isReported(_ id: UploadID) -> Bool {
    read(id) { $0.isReported } ?? false
  }

  func rememberReported(_ id: UploadID) {
    change(id) { $0.isReported = true }
  }

  // MARK: Parts

  private func read<Value>(_ id: UploadID, _ value: (Upload) -> Value) -> Value? {
    state.withLock { state in
      guard let upload = state.uploads[id] else { return nil }
      state.uses += 1
      state.uploads[id]?.used = state.uses
      return value(upload)
    }
  }

  private func change(_ id: UploadID, _ change: (inout Upload) -> Void) {
    state.withLock { state in
      state.uses += 1
      var upload = state.uploads[id] ?? Upload()
      state.claimCount -= upload.claims.count
      upload.used = state.uses
      change(&upload)
      state.claimCount += upload.claims.count
      state.uploads[id] = upload
      if state.uploads.count > uploadCapacity || state.claimCount > claimCapacity { shrink(&state, sparing: id) }
    }
  }

  /// Forgets the older half, so that the next time is far away.
  private func shrink(_ state: inout State, sparing id: UploadID) {
    let byAge = state.uploads.sorted { $0.value.used < $1.value.used }
    for (old, upload) in byAge where old != id {
      if state.uploads.count <= uploadCapacity / 2, state.claimCount <= claimCapacity / 2 { return }
      state.uploads[old] = nil
      state.claimCount -= upload.claims.count
    }
  }
}
