import Logging
import R2Client
import UploadCore

/// The objects of bashupload-r2 and bashupload-go in the same bucket: they keep working, expire, and are cleaned.
package struct LegacyObjects: Sendable {
  private static let batchSize = 1000
  /// HeadObject calls at one time.
  private static let parallelHeads = 8

  private let client: R2Client
  private let directory: ObjectDirectory
  private let journal: NodeJournal
  /// Seconds that an object without an expiry lives.
  private let maxAge: Int64

  package init(client: R2Client, directory: ObjectDirectory, journal: NodeJournal, maxAge: Int64) {
    self.client = client
    self.directory = directory
    self.journal = journal
    self.maxAge = maxAge
  }

  /// The id under which the object with this key is known from now on; nil when there is none.
  ///
  /// - Throws: `StoreError.unavailable`.
  package func id(ofKey key: String) async throws -> UploadID? {
    if let id = directory.id(ofLegacyKey: key) { return id }
    let asked: (object: S3ObjectMetadata, legacy: LegacyMetadata)?
    do {
      asked = try await metadata(key)
    } catch {
      throw BucketFailure.error(error, client)
    }
    guard let found = asked, let id = found.legacy.id(ofKey: key) else { return nil }
    directory.register(
      KnownObject(
        record: UploadRecord(
          id: id, name: try? FileName(key), contentType: found.object.headers.contentType ?? "application/octet-stream",
          size: found.object.size, sha256: [], createdAt: found.legacy.createdAt,
          maxDownloads: found.legacy.isOneTime ? .one : nil, deleteTokenHash: []),
        eTag: found.object.eTag, size: found.object.size, key: key))
    return id
  }

  /// Removes those that have expired. Each object is asked once for its expiry; from then on the journal knows.
  package func clean(now: Timestamp, dryRun: Bool, _ report: inout CleanupReport) async throws {
    var token: String?
    repeat {
      // Ours lie below prefixes, which the delimiter rolls up.
      let page = try await client.listObjectsV2(delimiter: "/", continuationToken: token)
      try await remember(try await journal.unknown(of: page.objects.map(\.key).filter { LegacyMetadata.isKey($0) }))
      token = page.nextContinuationToken
      try Task.checkCancellation()
    } while token != nil
    while true {
      let keys = try await journal.expiredLegacy(now: now, limit: Self.batchSize)
      let failures = dryRun ? [] : try await client.deleteObjects(keys)
      let left = Set(failures.map(\.key))
      let gone = keys.filter { !left.contains($0) }
      report.deletedObjects += gone.count
      if !gone.isEmpty { report.reasons["expired", default: 0] += gone.count }
      if !dryRun { try await journal.forgetLegacy(gone) }
      if dryRun || keys.count < Self.batchSize || gone.isEmpty {
        if let first = failures.first { throw BucketFault(first, of: failures.count) }
        return
      }
    }
  }

  private func remember(_ keys: [String]) async throws {
    var rest = keys[...]
    while !rest.isEmpty {
      let batch = rest.prefix(Self.parallelHeads)
      rest = rest.dropFirst(Self.parallelHeads)
      let found = try await withThrowingTaskGroup(of: NodeJournal.LegacyObject?.self) { group in
        for key in batch {
          group.addTask { try await metadata(key).map { .init(key: key, expiresAt: $0.legacy.expiresAt) } }
        }
        return try await group.reduce(into: [NodeJournal.LegacyObject]()) { if let object = $1 { $0.append(object) } }
      }
      try await journal.remember(found)
    }
  }

  private func metadata(_ key: String) async throws -> (object: S3ObjectMetadata, legacy: LegacyMetadata)? {
    do {
      let object = try await client.headObject(key)
      let changed = Timestamp(seconds: object.lastModified?.secondsSince1970 ?? 0)
      return (object, LegacyMetadata(object.headers.userMetadata, lastModified: changed, maxAge: maxAge))
    } catch let error as S3Error where error.isNotFound {
      return nil
    }
  }
}
