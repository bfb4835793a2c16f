import Synchronization
import UploadCore

/// Remembers uploads whose downloads are not counted for a second, so that a file that many people fetch does not cost a
/// query each time.
///
/// Nothing of such an entry changes but by deletion. A deletion in this process takes effect at once; one by another
/// process (`admin`, an operator) within `lifetime`. Expiry is in the id and is never cached.
final class EntryCache: Sendable {
  private static let lifetime = Duration.seconds(1)
  private static let capacity = 4096

  private typealias Remembered = (entry: UploadEntry, until: ContinuousClock.Instant)
  private let entries = Mutex<[UploadID: Remembered]>([:])

  func entry(_ id: UploadID) -> UploadEntry? {
    entries.withLock { entries in
      guard let remembered = entries[id], remembered.until > .now else { return nil }
      return remembered.entry
    }
  }

  func remember(_ entry: UploadEntry) {
    guard !entry.record.isCounted, entry.state == .available else { return }
    entries.withLock { entries in
      // All of them are at most a second old: forgetting them costs one query each.
      if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
      entries[entry.record.id] = (entry, .now + Self.lifetime)
    }
  }

  func forget(_ id: UploadID) {
    entries.withLock { $0[id] = nil }
  }
}
