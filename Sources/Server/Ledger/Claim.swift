import UploadCore

/// A download slot as the bucket keeps it.
package struct Claim: Hashable, Sendable {
  /// What `UploadCore` decides on.
  package var slot: DownloadSlot
  /// Random, new for every change. So no two writes store the same bytes: an entity tag means one write, and who lost the
  /// answer to a write knows it again.
  package var mark: UInt64

  package init(slot: DownloadSlot, mark: UInt64) {
    self.slot = slot
    self.mark = mark
  }
}
