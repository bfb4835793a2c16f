import NIOCore
import R2Client
import UploadCore

/// The claims in a bucket, without any decision about them. All errors are `StoreError`, or `CancellationError`.
package struct ClaimStore: Sendable {
  private let client: R2Client

  package init(client: R2Client) {
    self.client = client
  }

  /// One claim; nil when nobody has touched the slot.
  ///
  /// - Throws: `.unavailable` too when there is something that is no claim.
  package func read(_ id: UploadID, slot number: Int) async throws -> StoredClaim? {
    guard let (bytes, eTag) = try await body(ClaimKey(id, slot: number)) else { return nil }
    return StoredClaim(
      claim: try decoding { try ClaimCodec.decode(bytes, number: number) }, eTag: eTag)
  }

  /// Stores a claim if the one that is there is `base` still; if there is none, when `base` is nil.
  package func write(_ claim: Claim, of id: UploadID, over base: S3ETag?) async throws -> ClaimWrite {
    let body = try ClaimCodec.encode(claim)
    do {
      let result = try await client.putObject(
        ClaimKey(id, slot: claim.slot.number).description, body: body, headers: Self.headers,
        condition: base.map { .ifMatch($0) } ?? .ifAbsent)
      return .written(result.eTag)
    } catch let error as S3Error {
      // 429 before 412: an attempt may have met both.
      if error.isThrottled { return .throttled }
      if error.outcomeUnknown { return .unknown(unavailable(error)) }
      // 404: what If-Match names is not there any more. 409: another write of the key is under way (S3).
      if error.isPreconditionFailed || error.isNotFound || error.status == 409 { return .conflict }
      throw unavailable(error)
    }
  }

  /// The numbers of the claims that an upload has, in ascending order; 0 is its tombstone.
  package func numbers(_ id: UploadID) async throws -> [Int] {
    var numbers: [Int] = []
    var token: String?
    repeat {
      let page: S3ObjectListing
      do {
        page = try await client.listObjectsV2(prefix: "\(ClaimKey.prefix)\(id)/", continuationToken: token)
      } catch let error as S3Error {
        throw unavailable(error)
      }
      // Other things may be kept beside the claims; their names are no numbers.
      numbers += page.objects.compactMap { ClaimKey(parsing: $0.key)?.slot }
      token = page.nextContinuationToken
    } while token != nil
    return numbers.sorted()
  }

  /// Why an upload is gone before its time; nil when it is not.
  package func tombstone(_ id: UploadID) async throws -> Tombstone? {
    guard let (bytes, _) = try await body(ClaimKey(id, slot: ClaimKey.tombstone)) else { return nil }
    return try decoding { try Tombstone(decoding: bytes) }
  }

  /// Says that an upload is gone; durable when it returns. What is blocked stays blocked, also when its owner deletes it.
  package func bury(_ id: UploadID, _ tombstone: Tombstone) async throws {
    let body = try tombstone.encoded()
    do {
      _ = try await client.putObject(
        ClaimKey(id, slot: ClaimKey.tombstone).description, body: body, headers: Self.headers,
        condition: tombstone == .blocked ? nil : .ifAbsent, repeats: .always)
    } catch let error as S3Error {
      if tombstone != .blocked, error.isPreconditionFailed { return }
      // Whoever else has written it a moment ago has said the same, or more.
      guard error.outcomeUnknown, let stored = try await self.tombstone(id), [tombstone, .blocked].contains(stored)
      else { throw unavailable(error) }
    }
  }

  // MARK: Parts

  private static let headers = S3ObjectHeaders(contentType: "application/json")

  private func body(_ key: ClaimKey) async throws -> (bytes: ByteBuffer, eTag: S3ETag)? {
    do {
      return try await client.smallObject(key.description, limit: ClaimCodec.maximumSize)
    } catch let error as S3Error {
      if error.isNotFound { return nil }
      throw unavailable(error)
    }
  }

  private func decoding<Value>(_ decode: () throws -> Value) throws -> Value {
    do {
      return try decode()
    } catch let damage as ClaimCodec.Damage {
      throw StoreError.unavailable(reason: damage.description, retryAfter: 60)
    }
  }

  private func unavailable(_ error: S3Error) -> StoreError { BucketFailure.unavailable(error, client) }
}
