import NIOCore
import R2Client
import UploadCore

/// Tries what the promises need of a store, instead of believing it: conditions on writes, and deletions that delete.
///
/// A store that ignores a condition answers 200 and overwrites, and every one-time download would be delivered to all who
/// ask for it at once. Works on small objects of its own below `c/<id>/`, which it removes; what a crash leaves there goes
/// with the next cleanup, because their id expires soon.
struct BucketProof: Sendable {
  /// What a store does not do, in one line.
  struct Lack: Error, CustomStringConvertible {
    let description: String
  }

  /// Seconds after which what a crash has left is removed.
  private static let lifetime: Int64 = 600
  /// R2 takes one write of a key a second.
  private static let writeInterval = Duration.milliseconds(1_050)
  private static let attempts = 5

  let client: R2Client
  let journal: LeftoverJournal
  let id: UploadID

  /// - Returns: nil when the clock is outside of what ids can say.
  init?(_ client: R2Client, journal: LeftoverJournal, now: Timestamp) {
    var random = SystemRandomNumberGenerator()
    guard let id = UploadID(expiresAt: now.adding(seconds: Self.lifetime), using: &random) else { return nil }
    (self.client, self.journal, self.id) = (client, journal, id)
  }

  /// All of it, before the first request is served. Finds out how the store wants to read entity tags.
  ///
  /// - Returns: whether a multipart upload completes only where nothing is. Ceph's radosgw does not look; then somebody else
  ///   has to.
  /// - Throws: `Lack`, `S3Error`.
  func run() async throws -> Bool {
    async let completes = completesOnce()
    try await together([createsOnce, changesWhatItNamed, refusesStaleTag])
    return try await completes
  }

  /// What may change while the service runs: a proxy in between, a gateway that was replaced.
  func runShort() async throws {
    try await together([createsOnce, refusesStaleTag])
  }

  private func together(_ proofs: [@Sendable () async throws -> Void]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for proof in proofs { group.addTask { try await proof() } }
      try await group.waitForAll()
    }
  }

  // MARK: Proofs

  /// `If-None-Match: *`, and that a deleted object is gone.
  @Sendable private func createsOnce() async throws {
    let key = key("create")
    try await removing(key) {
      guard case .written = try await put(key, "first", .ifAbsent) else {
        throw Lack(description: "the store refuses to create an object with If-None-Match: *")
      }
      if case .written = try await put(key, "second", .ifAbsent) {
        throw Lack(
          description: "the store overwrites an object although it is told to create one only (If-None-Match: *)")
      }
    }
    do {
      _ = try await client.headObject(key)
    } catch let error as S3Error where error.isNotFound {
      return
    }
    throw Lack(description: "an object that was deleted can still be read")
  }

  /// `If-Match` with the tag that is there: in one of the ways in which stores want to read it.
  @Sendable private func changesWhatItNamed() async throws {
    let key = key("change")
    try await removing(key) {
      guard case .written(let first) = try await put(key, "first", nil) else {
        throw Lack(description: "the store refuses to write an object")
      }
      var isChanged = false
      for quoting in client.possibleWriteETags where !isChanged {
        client.use(quoting)
        if case .written = try await put(key, "second", .ifMatch(first)) { isChanged = true }
      }
      guard isChanged else {
        throw Lack(description: "the store does not change an object whose entity tag it is told (If-Match)")
      }
    }
  }

  /// `If-Match` with a tag that is not there.
  @Sendable private func refusesStaleTag() async throws {
    let key = key("stale")
    try await removing(key) {
      guard case .written = try await put(key, "first", nil) else {
        throw Lack(description: "the store refuses to write an object")
      }
      // No quotes around it matter: no object has this tag.
      let stale = S3ETag(String(repeating: "0", count: 32))
      if case .written = try await put(key, "second", .ifMatch(stale)) {
        throw Lack(description: "the store changes an object that is not the one it is told (If-Match)")
      }
    }
  }

  /// The same for objects that come in parts.
  private func completesOnce() async throws -> Bool {
    let key = key("complete")
    return try await removing(key) {
      guard try await complete(key) else {
        throw Lack(description: "the store refuses to complete a multipart upload with If-None-Match: *")
      }
      return try await !complete(key)
    }
  }

  // MARK: Parts

  private enum Write {
    case written(S3ETag)
    case refused
  }

  private func key(_ name: String) -> String { "\(ClaimKey.prefix)\(id)/proof-\(name)" }

  private func removing<T: Sendable>(_ key: String, _ proof: () async throws -> T) async throws -> T {
    let outcome: T
    do {
      outcome = try await proof()
    } catch {
      try? await client.deleteObject(key)
      throw error
    }
    try await client.deleteObject(key)
    return outcome
  }

  private func put(_ key: String, _ text: String, _ condition: S3WriteCondition?) async throws -> Write {
    try await settled {
      try await client.putObject(key, body: ByteBuffer(string: text), condition: condition).eTag
    }
  }

  private func complete(_ key: String) async throws -> Bool {
    let uploadID = try await client.createMultipartUpload(key)
    await journal.began(key, uploadID)
    do {
      let part = try await client.uploadPart(key, uploadID: uploadID, partNumber: 1, body: ByteBuffer(string: "part"))
      let outcome = try await settled {
        try await client.completeMultipartUpload(key, uploadID: uploadID, parts: [part], condition: .ifAbsent).eTag
      }
      if case .written = outcome {
        await journal.ended(uploadID)
        return true
      }
    } catch {
      await abort(key, uploadID)
      throw error
    }
    await abort(key, uploadID)
    return false
  }

  private func abort(_ key: String, _ uploadID: String) async {
    do {
      try await client.abortMultipartUpload(key, uploadID: uploadID)
      await journal.ended(uploadID)
    } catch {
      await journal.left(uploadID)
    }
  }

  /// Repeats what comes too soon after another write of the key, until it is written or refused.
  private func settled(_ write: () async throws -> S3ETag) async throws -> Write {
    var attempt = 1
    while true {
      do {
        return .written(try await write())
      } catch let error as S3Error {
        if error.isThrottled, attempt < Self.attempts {
          attempt += 1
          try await Task.sleep(for: Self.writeInterval)
          continue
        }
        // 404: what If-Match names is not there, as some stores say it. 409: conditions of writes at the same time.
        if error.isPreconditionFailed || error.isNotFound || error.status == 409 { return .refused }
        // What a store does not know it refuses as a whole.
        if error.status == 501
          || error.status == 400 && !error.outcomeUnknown && error.code.rawValue == "NotImplemented"
        {
          return .refused
        }
        throw error
      }
    }
  }
}
