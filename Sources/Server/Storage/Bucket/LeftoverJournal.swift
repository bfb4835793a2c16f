import UploadCore

/// Who is told of what a failure or a crash may leave in the bucket, so that somebody removes it.
package struct LeftoverJournal: Sendable {
  /// A multipart upload has been created.
  package var began: @Sendable (_ key: String, _ uploadID: String) async -> Void
  /// It has been completed or aborted.
  package var ended: @Sendable (_ uploadID: String) async -> Void
  /// It could not be aborted.
  package var left: @Sendable (_ uploadID: String) async -> Void
  /// An object may be there, now or in a moment, that belongs to no upload: nobody could learn what became of its write.
  package var owed: @Sendable (_ id: UploadID, _ key: String) async -> Void

  package init(
    began: @escaping @Sendable (_ key: String, _ uploadID: String) async -> Void,
    ended: @escaping @Sendable (_ uploadID: String) async -> Void,
    left: @escaping @Sendable (_ uploadID: String) async -> Void,
    owed: @escaping @Sendable (_ id: UploadID, _ key: String) async -> Void
  ) {
    self.began = began
    self.ended = ended
    self.left = left
    self.owed = owed
  }

  /// Nobody is told.
  package static var none: LeftoverJournal {
    LeftoverJournal(began: { _, _ in }, ended: { _ in }, left: { _ in }, owed: { _, _ in })
  }
}
