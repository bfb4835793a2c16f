import Crypto
import Logging
import NIOCore
import UploadCore

/// Takes an upload in. The order of effects is the promise (P3): space, bytes, digest, index, name, answer.
package struct UploadService: Sendable {
  package let policy: UploadPolicy
  let store: any BlobStore
  let catalog: any UploadCatalog
  let space: SpaceKeeper
  let now: @Sendable () -> Timestamp
  let logger: Logger

  package init(
    policy: UploadPolicy, store: any BlobStore, catalog: any UploadCatalog, space: SpaceKeeper,
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.policy = policy
    self.store = store
    self.catalog = catalog
    self.space = space
    self.now = now
    self.logger = logger
  }

  /// A stored upload and the token that deletes it, which is told once and kept only as a hash.
  package struct Receipt: Sendable {
    package var record: UploadRecord
    package var deleteToken: String
  }

  /// A body that has been received and is durable, but has no name yet. Belongs to one task; must be ended with `publish`
  /// or `drop`.
  struct Staged {
    fileprivate let receipt: Receipt
    fileprivate let writer: any BlobWriter
    fileprivate let reservation: SpaceReservation
  }

  /// Stores one body: `stage` and `publish`.
  ///
  /// - Throws: what these throw. Nothing is left then.
  package func receive(
    _ request: UploadRequest, expectedDigest: [UInt8]?, from next: () async throws -> ByteBuffer?
  ) async throws -> Receipt {
    let staged = try await stage(request, expectedDigest: expectedDigest, from: next)
    try await publish([staged])
    return staged.receipt
  }

  /// Receives one body.
  ///
  /// - Parameters:
  ///   - expectedDigest: the SHA-256 that the client promised; nothing is kept when it differs.
  ///   - next: the body, piece by piece; the first call invites the client to send it.
  /// - Throws: `UploadRejection`, `StoreError`, or what `next` throws when the client goes away. Nothing is left then.
  func stage(
    _ request: UploadRequest, expectedDigest: [UInt8]?, from next: () async throws -> ByteBuffer?
  ) async throws -> Staged {
    var random = SystemRandom()
    let admission = try policy.admit(request, now: now(), using: &random)
    let reservation = try await space.reserve(request.declaredSize)
    do {
      let token = DeleteToken.random(using: &random)
      var record = UploadRecord(
        id: admission.id, name: request.name,
        contentType: ContentType.choose(header: request.contentType, name: request.name),
        size: request.declaredSize ?? 0, sha256: [], createdAt: admission.createdAt,
        maxDownloads: admission.maxDownloads, deleteTokenHash: DeleteToken.hash(token))
      let writer = try await store.create(record, declaredSize: request.declaredSize)
      do {
        let digest = try await write(request, admission, writer, reservation, next)
        if let expectedDigest, expectedDigest != digest.sha256 { throw UploadRejection.digestMismatch }
        record.size = digest.size
        record.sha256 = digest.sha256
        return Staged(
          receipt: Receipt(record: record, deleteToken: token), writer: writer, reservation: reservation)
      } catch {
        await writer.discard()
        throw error
      }
    } catch {
      reservation.release()
      throw explained(error, request.declaredSize)
    }
  }

  /// Shows what has been staged, all or nothing.
  ///
  /// - Throws: `UploadRejection`, `StoreError`. Nothing is left then.
  @discardableResult
  func publish(_ staged: [Staged]) async throws -> [Receipt] {
    defer { for upload in staged { upload.reservation.release() } }
    for (index, upload) in staged.enumerated() {
      do {
        try await publish(upload.receipt.record, upload.writer)
      } catch {
        for published in staged[..<index] { await withdraw(published.receipt.record.id) }
        for rest in staged[index...] { await rest.writer.discard() }
        throw explained(error, upload.receipt.record.size)
      }
    }
    return staged.map(\.receipt)
  }

  /// Forgets what has been staged.
  func drop(_ staged: [Staged]) async {
    for upload in staged {
      await upload.writer.discard()
      upload.reservation.release()
    }
  }

  private func explained(_ error: any Error, _ size: Int64?) -> any Error {
    if case StoreError.full = error { space.refusal(needed: size ?? 0) } else { error }
  }

  /// Takes an upload back whose URL nobody has been told: object first, so that a failure leaves what cleanup finds.
  func withdraw(_ id: UploadID) async {
    do {
      try await store.delete(id)
      try await catalog.remove(id)
    } catch {
      logger.warning(
        "an upload that was not answered stays until it expires",
        metadata: ["id": "\(id.shortened)", "error": "\(error)"])
    }
  }

  private func write(
    _ request: UploadRequest, _ admission: Admission, _ writer: any BlobWriter, _ reservation: SpaceReservation,
    _ next: () async throws -> ByteBuffer?
  ) async throws -> BlobDigest {
    var size: Int64 = 0
    var unwritten: Int64 = 0
    let digest = try await writer.receive {
      reservation.wrote(unwritten)
      unwritten = 0
      guard let bytes = try await next() else {
        if let declared = request.declaredSize, declared != size {
          throw UploadRejection.lengthMismatch(declared: declared, received: size)
        }
        return nil
      }
      let count = Int64(bytes.readableBytes)
      size += count
      guard size <= admission.sizeLimit else {
        throw UploadRejection.tooLarge(limit: policy.maxUploadSize, declared: request.declaredSize)
      }
      guard now() < admission.expiresAt else { throw UploadRejection.unfinishedAtExpiry(admission.expiresAt) }
      try await reservation.willWrite(count)
      unwritten = count
      return bytes
    }
    return digest
  }

  /// The row first: bytes that nobody knows cannot be. If naming the bytes fails the row is taken back; a row without
  /// bytes, after a crash between the two, is answered as unknown and goes when its id expires.
  private func publish(_ record: UploadRecord, _ writer: any BlobWriter) async throws {
    try await catalog.insert(record)
    do {
      try await writer.publish()
      catalog.confirmPublished(record.id)
    } catch {
      // An id that was drawn twice belongs to somebody else: its bytes stay.
      if case StoreError.exists = error {} else { await withdraw(record.id) }
      if case StoreError.expired(let id) = error { throw UploadRejection.unfinishedAtExpiry(id.expiresAt) }
      throw error
    }
  }
}

/// The secret that deletes an upload.
enum DeleteToken {
  /// 128 bits from the system's generator, as 32 hexadecimal digits.
  static func random(using generator: inout some RandomNumberGenerator) -> String {
    Hex.random128(using: &generator)
  }

  static func hash(_ token: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(token.utf8)))
  }

  /// Constant time: equal-length hashes, every byte looked at.
  static func matches(_ token: String, hash expected: [UInt8]) -> Bool {
    let hash = hash(token)
    guard hash.count == expected.count else { return false }
    return zip(hash, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
