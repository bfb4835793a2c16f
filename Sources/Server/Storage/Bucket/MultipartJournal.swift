/// Who is told of multipart uploads in flight, so that a restart can abort those of the process before.
package struct MultipartJournal: Sendable {
  /// A multipart upload has been created.
  package var began: @Sendable (_ key: String, _ uploadID: String) async -> Void
  /// It has been completed or aborted. Is not told of one that could not be aborted.
  package var ended: @Sendable (_ uploadID: String) async -> Void

  package init(
    began: @escaping @Sendable (_ key: String, _ uploadID: String) async -> Void,
    ended: @escaping @Sendable (_ uploadID: String) async -> Void
  ) {
    self.began = began
    self.ended = ended
  }

  /// Nobody is told.
  package static var none: MultipartJournal { MultipartJournal(began: { _, _ in }, ended: { _ in }) }
}
