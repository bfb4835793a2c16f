import NIOCore
import R2Client
import Synchronization
import UploadCore

/// What the bucket says of its uploads, remembered: an upload never changes, so one HEAD serves all its downloads.
///
/// That there is none is not remembered: it may come. That it has gone is found when its bytes are asked for. Expiry is in
/// the id, and whoever asks checks it.
package final class ObjectDirectory: Sendable {
  private struct State {
    /// Two generations stand in for the exact order of use: the older one is dropped as a whole.
    var young: [UploadID: KnownObject] = [:]
    var old: [UploadID: KnownObject] = [:]
    /// Ids of objects of older programs, by their keys.
    var legacy: [String: UploadID] = [:]
    /// Changes with every `forget`, so that an answer that was on the way then is not remembered.
    var epoch: UInt64 = 0
  }

  private let client: R2Client
  private let generationSize: Int
  private let state = Mutex(State())

  /// - Parameter capacity: uploads to remember at most.
  package init(client: R2Client, capacity: Int = 10_000) {
    self.client = client
    generationSize = max(1, capacity / 2)
  }

  /// The upload with this id; nil when the bucket has none.
  ///
  /// Costs a HEAD the first time, and a GET of 32 bytes when the upload came in parts.
  ///
  /// - Throws: `StoreError.unavailable`; also for an object that is not ours to read (another format).
  package func record(_ id: UploadID) async throws -> KnownObject? {
    let (known, epoch) = lookUp(id)
    if let known { return known }
    do {
      let metadata = try await client.headObject(ObjectKey(id).description)
      guard var record = BlobMetadata.record(id, metadata) else {
        throw BucketFailure.unavailable("the object of upload \(id.shortened) has metadata that cannot be read")
      }
      if record.sha256.isEmpty { record.sha256 = try await digest(id) }
      let object = KnownObject(record: record, eTag: metadata.eTag, size: metadata.size)
      remember(object, epoch: epoch)
      return object
    } catch let error as S3Error where error.isNotFound {
      return nil
    } catch {
      throw BucketFailure.error(error, client)
    }
  }

  /// Remembers an object of an older program, which `record` would not find under its id.
  package func register(_ object: KnownObject) {
    remember(object)
    state.withLock { state in
      if state.legacy.count >= 2 * generationSize { state.legacy = [:] }
      state.legacy[object.key] = object.record.id
    }
  }

  /// The id of an object of an older program, as long as the object is remembered.
  package func id(ofLegacyKey key: String) -> UploadID? {
    guard let id = state.withLock({ $0.legacy[key] }), lookUp(id).0 != nil else { return nil }
    return id
  }

  /// Where the object of an upload is.
  package func key(of id: UploadID) -> String {
    lookUp(id).0?.key ?? ObjectKey(id).description
  }

  /// The upload has been deleted, or its bytes were found to be gone.
  package func forget(_ id: UploadID) {
    state.withLock { state in
      state.young[id] = nil
      state.old[id] = nil
      state.epoch += 1
    }
  }

  /// An upload that this process has just published.
  func remember(_ object: KnownObject) {
    remember(object, epoch: nil)
  }

  /// What is remembered, without asking.
  private func lookUp(_ id: UploadID) -> (KnownObject?, epoch: UInt64) {
    state.withLock { state in
      if let known = state.young[id] { return (known, state.epoch) }
      guard let known = state.old.removeValue(forKey: id) else { return (nil, state.epoch) }
      insert(known, &state)
      return (known, state.epoch)
    }
  }

  private func remember(_ object: KnownObject, epoch: UInt64?) {
    state.withLock { state in
      if let epoch, epoch != state.epoch { return }
      insert(object, &state)
    }
  }

  private func insert(_ object: KnownObject, _ state: inout State) {
    if state.young.count >= generationSize {
      state.old = state.young
      state.young = [:]
    }
    state.young[object.record.id] = object
  }

  /// The digest of an upload that came in parts. It is written before the upload is; should somebody have removed it, the
  /// bytes are still right, and are served without a digest.
  private func digest(_ id: UploadID) async throws -> [UInt8] {
    do {
      let bytes = try await client.smallObject(DigestKey.of(id), limit: 32).bytes
      return bytes.readableBytes == 32 ? Array(bytes.readableBytesView) : []
    } catch let error as S3Error where error.isNotFound || error.code == .entityTooLarge {
      return []
    }
  }
}
