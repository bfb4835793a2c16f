import R2Client
import UploadCore

/// What an upload that failed has left in the bucket.
struct ObjectRemains: Sendable {
  /// Of each step, the client's own repetitions apart.
  private static let attempts = 2

  let bucket: Bucket
  let id: UploadID
  let uploadID: String?
  let hasDigest: Bool
  let hasObject: Bool

  /// Removes what can be removed now; the rest goes when the id has expired.
  func remove() async {
    let (client, key) = (bucket.client, ObjectKey(id).description)
    if let uploadID {
      let isAborted = await attempt { try await client.abortMultipartUpload(key, uploadID: uploadID) }
      if isAborted { await bucket.journal.ended(uploadID) }
    }
    if hasObject { await attempt { try await bucket.delete(id) } }
    if hasDigest { await attempt { try await client.deleteObject(DigestKey.of(id)) } }
  }

  @discardableResult
  private func attempt(_ operation: () async throws -> Void) async -> Bool {
    for number in 1...Self.attempts {
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
