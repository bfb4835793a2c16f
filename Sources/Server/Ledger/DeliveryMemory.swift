import Synchronization
import UploadCore

/// What this process knows of deliveries and no ledger stores.
///
/// Pieces are charged in full before they begin, and what is not sent comes back: until then a slot that is over its budget
/// only waits. And a client that was sent all bytes in one delivery lacks no pieces of it.
package final class DeliveryMemory: Sendable {
  private struct Place: Hashable {
    var id: UploadID
    var slot: Int
  }

  private struct State {
    /// Bytes of pieces on their way.
    var pending: [Place: Int64] = [:]
    /// Slots that were spent by one delivery of all bytes. What is forgotten is treated more kindly.
    var spentWhole: Set<Place> = []
    /// Of leases that continue another one of their client, by nonce: the first one of the chain.
    var continued: [UInt64: UInt64] = [:]
    /// The same of the last such lease of a slot, for a slot that was given back since.
    var last: [Place: UInt64] = [:]
  }

  private static let capacity = 10_000
  private let state = Mutex(State())

  package init() {}

  /// What was decided is on its way.
  func begin(_ decision: LeaseDecision, _ id: UploadID, _ request: DeliveryRequest) {
    switch decision {
    case .part(let slot, _), .resumeConsumed(let slot, _):
      state.withLock { $0.pending[Place(id: id, slot: slot.number), default: 0] += request.length }
    case .lease, .locked, .gone: break
    }
  }

  /// A lease is about to be stored, and continues another one of the same client. Noted before it is, because a request that
  /// it continues may end in the next instant.
  func willLease(_ decision: LeaseDecision, of id: UploadID, over slots: [DownloadSlot]) {
    guard case .lease(let slot, resumed: true) = decision, let nonce = slot.lease?.nonce else { return }
    let before = slots.first { $0.number == slot.number }?.lease?.nonce
    state.withLock { state in
      if state.continued.count >= Self.capacity {
        state.continued.removeAll()
        state.last.removeAll()
      }
      let place = Place(id: id, slot: slot.number)
      guard let first = before.map({ state.continued[$0] ?? $0 }) ?? state.last[place] else { return }
      state.continued[nonce] = first
      state.last[place] = first
    }
  }

  /// A piece has ended.
  func end(_ holder: SlotHolder, charged: Int64) {
    state.withLock { state in
      let place = Place(id: holder.id, slot: holder.slot)
      let left = (state.pending[place] ?? 0) - charged
      state.pending[place] = left > 0 ? left : nil
    }
  }

  /// A slot was spent.
  func spend(_ id: UploadID, _ slot: Int, bytes: Int64, of size: Int64) {
    guard bytes >= size else { return }
    state.withLock { state in
      if state.spentWhole.count >= Self.capacity { state.spentWhole.removeAll() }
      state.spentWhole.insert(Place(id: id, slot: slot))
    }
  }

  /// Slots with what is known of them here.
  func mark(_ slots: [DownloadSlot], of id: UploadID) -> [DownloadSlot] {
    guard !slots.isEmpty else { return slots }
    return state.withLock { state in
      slots.map { slot in
        var slot = slot
        let place = Place(id: id, slot: slot.number)
        slot.pending = state.pending[place] ?? 0
        slot.isSpentWhole = state.spentWhole.contains(place)
        let nonce = slot.lease?.nonce ?? slot.consumedBy
        slot.continues = nonce.map { state.continued[$0] } ?? state.last[place]
        return slot
      }
    }
  }
}
