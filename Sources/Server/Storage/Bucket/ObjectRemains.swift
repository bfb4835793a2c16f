import R2Client
import UploadCore

/// What an upload that failed has left in the bucket.
struct ObjectRemains: Sendable {
  /// Of each step, the client's own repetitions apart.
  private static let attempts = 2
  /// Nothing is begun after this: a client waits for its answer, and a store that is away stays away for a while.
  private static let patience = Duration.seconds(5)

  let bucket: Bucket
  let id: UploadID
  let uploadID: String?
  let hasDigest: Bool
  let hasObject: Bool
  /// The store has given no answer a moment ago: it is not asked again while the client waits.
  let isStoreSilent: Bool

  /// Removes what can be removed now; the rest is in the journal, or goes when the id has expired.
  func remove() async {
    let (client, key) = (bucket.client, ObjectKey(id).description)
    let end = isStoreSilent ? ContinuousClock.now : .now + Self.patience
    // The write may still be on its way: then this object comes after it was removed.
    if hasObject { await bucket.journal.owed(id, key) }
    if let uploadID {
      let isAborted = await attempt(until: end) { try await client.abortMultipartUpload(key, uploadID: uploadID) }
      await (isAborted ? bucket.journal.ended : bucket.journal.left)(uploadID)
    }
    if hasObject { await attempt(until: end) { try await bucket.delete(id) } }
    if hasDigest { await attempt(until: end) { try await client.deleteObject(DigestKey.of(id)) } }
  }

  @discardableResult
  private func attempt(until end: ContinuousClock.Instant, _ operation: () async throws -> Void) async -> Bool {
    for number in 1...Self.attempts where .now < end {
      do {
        try await operation()
        return true
      } catch {
        if number < Self.attempts { try? await bucket.client.pause(afterAttempt: number) }
      }
    }
    return false
  }
}
