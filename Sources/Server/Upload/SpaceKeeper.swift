import NIOCore
import Synchronization
import UploadCore

/// Promises disk space to uploads before they send it, so that two uploads never count on the same free bytes.
package final class SpaceKeeper: Sendable {
  private struct Budgets {
    /// Bytes promised and not yet written; written ones are missing from the free space already.
    var disk: SpaceBudget
    /// Bytes promised and not yet in the index.
    var quota: SpaceBudget
    /// Grows whenever a promise ends; its bytes may have moved into the index meanwhile.
    var releases = 0
    /// The free space as last asked for, less what we have written since.
    var free: Int64 = 0
    var freeIsKnownUntil = NIODeadline.uptimeNanoseconds(0)
  }

  /// Thousands of small uploads a second need not all ask for the free space: a reading is used again for this long, for
  /// uploads up to this size. What others write meanwhile, the write itself finds out.
  private static let freeReadingAge = TimeAmount.milliseconds(50)
  private static let smallUpload: Int64 = 64 * 1024

  private let budgets: Mutex<Budgets>
  private let hasQuota: Bool
  private let store: any BlobStore
  private let storedBytes: @Sendable () async throws -> Int64

  /// - Parameters:
  ///   - minimumFree: disk space that uploads never use, in bytes.
  ///   - quota: most bytes of all uploads together; nil = only the disk limits.
  ///   - storedBytes: bytes of the finished uploads.
  package init(
    minimumFree: ByteCount, quota: ByteCount?, store: any BlobStore,
    storedBytes: @escaping @Sendable () async throws -> Int64
  ) {
    budgets = Mutex(
      Budgets(
        disk: SpaceBudget(minimumFree: minimumFree.bytes, quota: nil),
        quota: SpaceBudget(minimumFree: 0, quota: quota?.bytes)))
    hasQuota = quota != nil
    self.store = store
    self.storedBytes = storedBytes
  }

  /// Reserves space for a body; of an unknown length as it comes.
  ///
  /// - Throws: `UploadRejection.noSpace`, `.quota`.
  package func reserve(_ declaredSize: Int64?) async throws -> SpaceReservation {
    let reservation = SpaceReservation(keeper: self)
    try await reservation.grow(by: declaredSize ?? 0)
    return reservation
  }

  fileprivate func reserve(_ bytes: Int64) async throws {
    var stored: Int64 = 0
    if hasQuota {
      // An upload that ends between the question and the answer would be counted nowhere: ask again.
      for _ in 0..<3 {
        let before = budgets.withLock { $0.releases }
        stored = try await storedBytes()
        if before == budgets.withLock({ $0.releases }) { break }
      }
    }
    let free = try freeSpace(isSmall: bytes <= Self.smallUpload)
    try budgets.withLock { budgets throws(UploadRejection) in
      try budgets.quota.reserve(bytes, free: .max, stored: stored)
      do throws(UploadRejection) {
        try budgets.disk.reserve(bytes, free: free, stored: 0)
      } catch {
        budgets.quota.release(bytes)
        throw error
      }
    }
  }

  private func freeSpace(isSmall: Bool) throws -> Int64 {
    let now = NIODeadline.now()
    if isSmall, let known = budgets.withLock({ $0.freeIsKnownUntil > now ? $0.free : nil }) { return known }
    let free = try store.freeSpace() ?? .max
    budgets.withLock {
      $0.free = free
      $0.freeIsKnownUntil = now + Self.freeReadingAge
    }
    return free
  }

  /// The disk has filled up under an upload (somebody else uses it too): the refusal, in numbers.
  func refusal(needed: Int64) -> UploadRejection {
    let free = (try? store.freeSpace() ?? 0) ?? 0
    return .noSpace(needed: needed, free: free, keep: budgets.withLock { $0.disk.minimumFree })
  }

  fileprivate func wrote(_ bytes: Int64) {
    budgets.withLock {
      $0.disk.release(bytes)
      $0.free -= bytes
    }
  }

  fileprivate func release(unwritten: Int64, total: Int64) {
    budgets.withLock {
      $0.disk.release(unwritten)
      $0.quota.release(total)
      $0.releases += 1
    }
  }
}

/// The space promised to one upload. Belongs to its task; must be ended with `release`.
package final class SpaceReservation {
  /// A body without a length reserves this much at a time.
  private static let step: Int64 = 4 * 1024 * 1024

  private let keeper: SpaceKeeper
  private var total: Int64 = 0
  private var unwritten: Int64 = 0

  fileprivate init(keeper: SpaceKeeper) {
    self.keeper = keeper
  }

  /// Called before `bytes` more are written: reserves what is missing.
  func willWrite(_ bytes: Int64) async throws {
    guard bytes > unwritten else { return }
    do {
      try await grow(by: max(bytes - unwritten, Self.step))
    } catch is UploadRejection {
      // Near the limit: what is really needed, no step.
      try await grow(by: bytes - unwritten)
    }
  }

  /// The bytes are on the disk: they are missing from its free space by themselves now.
  func wrote(_ bytes: Int64) {
    unwritten -= bytes
    keeper.wrote(bytes)
  }

  fileprivate func grow(by bytes: Int64) async throws {
    guard bytes > 0 else { return try await keeper.reserve(0) }
    try await keeper.reserve(bytes)
    total += bytes
    unwritten += bytes
  }

  /// The upload is in the index, or has failed.
  func release() {
    keeper.release(unwritten: unwritten, total: total)
    total = 0
    unwritten = 0
  }
}
