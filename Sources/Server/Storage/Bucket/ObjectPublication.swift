import NIOCore
import R2Client
import UploadCore

/// The last step of an upload: the request that makes the object visible, and finding out what came of it.
struct ObjectPublication: Sendable {
  /// What is to become visible.
  enum Content: Sendable {
    /// All bytes; nil: there are none.
    case whole(PartBuffer?)
    case parts([S3CompletedPart], uploadID: String)
  }

  enum Outcome: Sendable {
    case published(S3ETag)
    /// There is no object of ours.
    case refused(any Error)
    /// There may be one.
    case unknown(any Error)
  }

  /// How often a write is tried again that has left no object.
  private static let attempts = 3

  let bucket: Bucket
  let record: UploadRecord
  let content: Content

  private var key: String { ObjectKey(record.id).description }

  func run() async -> Outcome {
    var wasUnknown = false
    var attempt = 1
    while true {
      do {
        return .published(try await write())
      } catch let error as S3Error {
        // Only a write that was sent once can be our own, found again.
        let mayBeOurs =
          wasUnknown || error.outcomeUnknown
          // The tag of a completed upload could not be read.
          || error.operation == .headObject
        guard mayBeOurs else {
          return .refused(error.isPreconditionFailed ? StoreError.exists(record.id) : error)
        }
        wasUnknown = true
        if let outcome = await look(error) { return outcome }
        guard attempt < Self.attempts, !error.isNotFound else { return .unknown(error) }
        attempt += 1
      } catch let error as StoreError where !wasUnknown {
        return .refused(error)
      } catch {
        return .unknown(error)
      }
      // It has not happened: as the write has a condition, it can be said again.
      guard (try? await bucket.client.pause(afterAttempt: attempt)) != nil else { return .unknown(CancellationError()) }
    }
  }

  private func write() async throws -> S3ETag {
    switch content {
    case .whole(let part): return try await put(part)
    case .parts(let parts, let uploadID):
      if bucket.completion.looksBefore { try await expectNothing() }
      return try await bucket.client.completeMultipartUpload(
        key, uploadID: uploadID, parts: parts, condition: .ifAbsent, repeats: .always
      ).eTag
    }
  }

  private func expectNothing() async throws {
    do {
      _ = try await bucket.client.headObject(key)
    } catch let error as S3Error where error.isNotFound {
      return
    }
    // Our own, of an attempt before, or that of somebody who has drawn the same id: `look` tells them apart.
    throw StoreError.exists(record.id)
  }

  private func put(_ part: PartBuffer?) async throws -> S3ETag {
    let headers = BlobMetadata.headers(record)
    if let part, part.isSpooled {
      let turn = try await bucket.spooledSends.take()
      defer { turn.release() }
      return try await bucket.client.repeating {
        try await bucket.client.putObject(
          key, contentLength: Int64(part.count), headers: headers, condition: .ifAbsent, repeats: .always
        ) { writer in
          try await part.read(bucket.pool) { try await writer.write($0) }
        }
      }.eTag
    }
    return try await bucket.client.putObject(
      key, body: part?.inMemory ?? ByteBuffer(), headers: headers, condition: .ifAbsent, repeats: .always
    ).eTag
  }

  /// What the store has; nil: nothing. The hash of the delete token is random, so it tells whose upload it is.
  private func look(_ error: S3Error) async -> Outcome? {
    do {
      let metadata = try await bucket.client.headObject(key)
      guard let found = BlobMetadata.record(record.id, metadata), found.deleteTokenHash == record.deleteTokenHash,
        found.createdAt == record.createdAt, found.size == record.size,
        found.sha256.isEmpty || found.sha256 == record.sha256
      else { return .refused(StoreError.exists(record.id)) }
      return .published(metadata.eTag)
    } catch let lookError as S3Error where lookError.isNotFound {
      return nil
    } catch {
      return .unknown(error)
    }
  }
}
