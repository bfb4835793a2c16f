import Synchronization
import UploadCore

/// The pieces that this process is sending: they are charged in full before they begin, and what is not sent comes back.
/// Until then a slot that is over its budget only waits, and is not used up.
package final class PiecesInFlight: Sendable {
  private struct Place: Hashable {
    var id: UploadID
    var slot: Int
  }

  private let bytes = Mutex<[Place: Int64]>([:])

  package init() {}

  /// A piece of a decision is on its way.
  func begin(_ decision: LeaseDecision, _ id: UploadID, _ request: DeliveryRequest) {
    switch decision {
    case .part(let slot, _), .resumeConsumed(let slot, _):
      bytes.withLock { $0[Place(id: id, slot: slot.number), default: 0] += request.length }
    case .lease, .locked, .gone: break
    }
  }

  func end(_ holder: SlotHolder, charged: Int64) {
    bytes.withLock { bytes in
      let place = Place(id: holder.id, slot: holder.slot)
      let left = (bytes[place] ?? 0) - charged
      bytes[place] = left > 0 ? left : nil
    }
  }

  /// Slots with what is on its way to their clients.
  func mark(_ slots: [DownloadSlot], of id: UploadID) -> [DownloadSlot] {
    bytes.withLock { bytes in
      guard !bytes.isEmpty || slots.contains(where: { $0.pending != 0 }) else { return slots }
      return slots.map { slot in
        var slot = slot
        slot.pending = bytes[Place(id: id, slot: slot.number)] ?? 0
        return slot
      }
    }
  }
}
