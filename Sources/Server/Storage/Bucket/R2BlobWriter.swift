import Glibc
import NIOCore
import R2Client
import UploadCore

/// Writes one object: a small body with one PutObject when it is published, a larger one in parts while it comes.
///
/// Not Sendable: belongs to the task of its upload.
final class R2BlobWriter: BlobWriter {
  private typealias Parts = ThrowingTaskGroup<S3CompletedPart, any Error>

  /// Parts on their way at the same time: with 30 ms to the store one gives 40 MiB/s, four give 150.
  private static let parallelParts = 4

  private let draft: UploadRecord
  private let bucket: Bucket
  /// How a body of known size is cut; nil: into parts of the usual size.
  private let layout: S3PartLayout?
  private let hash: PartHash
  private let failure = PartUpload.Failure()

  /// The part that is being filled, and in the end the last one.
  private var part: PartBuffer?
  private var size: Int64 = 0
  private var partNumber = 0
  private var deliveries = 0
  private var stored: [S3CompletedPart] = []
  private var digest: BlobDigest?

  // What `discard` has to take back.
  private var uploadID: String?
  private var hasDigestObject = false
  private var hasObject = false
  private var isStoreSilent = false

  /// - Throws: `StoreError.full` for more bytes than an object can have.
  init(_ draft: UploadRecord, declaredSize: Int64?, in bucket: Bucket) throws {
    self.draft = draft
    self.bucket = bucket
    hash = PartHash(bucket)
    if let declaredSize, declaredSize > 0 {
      let limits = bucket.client.options.partLimits
      guard
        let layout = S3PartLayout(
          size: declaredSize, preferredPartSize: Int64(bucket.budget.partSize), limits: limits)
      else { throw StoreError.full }
      self.layout = layout
    } else {
      layout = nil
    }
  }

  private var key: String { ObjectKey(draft.id).description }

  // MARK: Receiving

  func receive(_ next: () async throws -> ByteBuffer?) async throws -> BlobDigest {
    do {
      return try await withThrowingTaskGroup(of: S3CompletedPart.self) { group in
        while let bytes = try await next() {
          if let error = failure.first { throw error }
          try await append(bytes, &group)
        }
        return try await finish(&group)
      }
    } catch {
      isStoreSilent = BucketFailure.isSilence(error)
      throw BucketFailure.error(error, bucket.client)
    }
  }

  private func append(_ bytes: ByteBuffer, _ group: inout Parts) async throws {
    var rest = bytes
    while rest.readableBytes > 0 {
      if let full = part, full.room == 0 {
        part = nil
        try await ship(full, &group)
      }
      if part == nil { part = try await PartBuffer(capacity: nextCapacity(), bucket) }
      guard let room = part?.room, let slice = rest.readSlice(length: min(room, rest.readableBytes)) else { return }
      try await part?.append(slice, bucket)
      size += Int64(slice.readableBytes)
    }
  }

  /// Of a body of known size no more is taken than is going to come.
  private func nextCapacity() throws -> Int {
    let limits = bucket.client.options.partLimits
    // Parts must be equal, so a body without a length cannot get larger ones on its way.
    guard partNumber < limits.maximumCount else { throw StoreError.full }
    if let layout, let range = layout.range(ofPart: partNumber + 1) { return range.count }
    return max(bucket.budget.partSize, Int(limits.minimumSize))
  }

  /// Sends a part beside the others.
  private func ship(_ part: PartBuffer, _ group: inout Parts) async throws {
    let uploadID = try await begin()
    // Without memory one part at a time is sent while the next is written to disk: the disk is bounded too.
    while deliveries >= (part.isSpooled ? 1 : Self.parallelParts) { try await collect(&group) }
    let hashed = try await hash.add(part)
    partNumber += 1
    let (upload, failure) = (
      PartUpload(bucket: bucket, key: key, uploadID: uploadID, number: partNumber, part: part), failure
    )
    group.addTask { try await upload.run(hashed: hashed, failure) }
    deliveries += 1
  }

  private func collect(_ group: inout Parts) async throws {
    guard let part = try await group.next() else { return }
    stored.append(part)
    deliveries -= 1
  }

  /// Whoever cancels us, the id is learned: otherwise nobody could abort the upload.
  private func begin() async throws -> String {
    if let uploadID { return uploadID }
    let (bucket, key, draft) = (bucket, key, draft)
    let created = try await Bucket.uncancelled {
      let uploadID = try await bucket.client.createMultipartUpload(key, headers: BlobMetadata.headers(draft))
      await bucket.journal.began(key, uploadID)
      return uploadID
    }
    uploadID = created
    return created
  }

  private func finish(_ group: inout Parts) async throws -> BlobDigest {
    if uploadID != nil, let last = part {
      part = nil
      try await ship(last, &group)
    } else if let part {
      part.close()
      _ = try await hash.add(part)
    }
    while deliveries > 0 { try await collect(&group) }
    let digest = BlobDigest(size: size, sha256: try await hash.finish())
    self.digest = digest
    return digest
  }

  // MARK: Ending

  func publish() async throws {
    do {
      try await publishOrFail()
      part?.release()
      part = nil
    } catch {
      isStoreSilent = BucketFailure.isSilence(error)
      await discard()
      throw BucketFailure.error(error, bucket.client)
    }
  }

  private func publishOrFail() async throws {
    guard let digest else { throw StoreError.system(operation: "publish", errno: EBADF) }
    guard draft.id.expiresAt > bucket.now() else { throw StoreError.expired(draft.id) }
    var record = draft
    record.size = digest.size
    record.sha256 = digest.sha256
    if uploadID != nil { try await writeDigest(record) }
    let publication = ObjectPublication(
      bucket: bucket, record: record, content: uploadID.map { .parts(stored, uploadID: $0) } ?? .whole(part))
    switch try await Bucket.uncancelled({ await publication.run() }) {
    case .published(let eTag):
      bucket.directory.remember(KnownObject(record: record, eTag: eTag, size: record.size))
      if let uploadID { await bucket.journal.ended(uploadID) }
      uploadID = nil
      hasDigestObject = false
    case .refused(let error):
      // A sweep ends what is over.
      throw draft.id.expiresAt > bucket.now() ? error : StoreError.expired(draft.id)
    case .unknown(let error):
      hasObject = true
      throw error
    }
    self.digest = nil
  }

  /// Before the object, so that whoever sees the object finds the digest.
  private func writeDigest(_ record: UploadRecord) async throws {
    let (client, key, bytes) = (bucket.client, DigestKey.of(record.id), ByteBuffer(bytes: record.sha256))
    hasDigestObject = true
    do {
      _ = try await Bucket.uncancelled {
        try await client.putObject(key, body: bytes, condition: .ifAbsent, repeats: .always)
      }
    } catch let error as S3Error where error.isPreconditionFailed || error.outcomeUnknown {
      // Our own, written by an attempt whose answer was lost; or that of another upload with this id.
      guard error.outcomeUnknown, try await client.smallObject(key, limit: bytes.readableBytes).bytes == bytes else {
        hasDigestObject = false
        throw StoreError.exists(record.id)
      }
    }
  }

  func discard() async {
    part?.release()
    part = nil
    digest = nil
    stored = []
    guard uploadID != nil || hasDigestObject || hasObject else { return }
    let remains = ObjectRemains(
      bucket: bucket, id: draft.id, uploadID: uploadID, hasDigest: hasDigestObject, hasObject: hasObject,
      isStoreSilent: isStoreSilent)
    (uploadID, hasDigestObject, hasObject) = (nil, false, false)
    try? await Bucket.uncancelled { await remains.remove() }
  }
}
