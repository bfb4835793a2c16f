import NIOCore
import Synchronization
import UploadCore

/// Promises disk space to uploads before they send it, so that two uploads never count on the same free bytes.
///
/// What is promised and does not come is lost to everybody else. So a promise lasts only while its upload keeps the pace that
/// the allowance for transfers assumes: an upload that is behind gets space in steps, as its bytes arrive.
package final class SpaceKeeper: Sendable {
  private struct Budgets {
    /// Bytes promised and not yet written; written ones are missing from the free space already.
    var disk: SpaceBudget
    /// Bytes promised and not yet in the index.
    var quota: SpaceBudget
    /// Grows whenever a promise ends; its bytes may have moved into the index meanwhile.
    var releases = 0
    /// Of the uploads in progress.
    var promises: [UInt64: Promise] = [:]
    var lastNumber: UInt64 = 0
    /// The free space as last asked for, less what we have written since.
    var free: Int64 = 0
    var freeIsKnownUntil = NIODeadline.uptimeNanoseconds(0)
  }

  /// Thousands of small uploads a second need not all ask for the free space: a reading is used again for this long, for
  /// uploads up to this size. What others write meanwhile, the write itself finds out.
  private static let freeReadingAge = TimeAmount.milliseconds(50)
  private static let smallUpload: Int64 = 64 * 1024

  /// What one upload was promised.
  fileprivate struct Promise {
    /// Bytes that may still be written; missing from `disk`.
    var unwritten: Int64 = 0
    /// Of these, bytes that are being written just now.
    var pinned: Int64 = 0
    var written: Int64 = 0
    let start = NIODeadline.now()

    /// Whether the upload is slower than the allowance assumes, beyond the time that a beginning takes.
    func isBehind(_ now: NIODeadline) -> Bool {
      let late = (now - start).nanoseconds - SpaceKeeper.headStart.nanoseconds
      return late > 0 && Double(written + pinned) < Double(late) / 1e9 * SpaceKeeper.pace
    }
  }

  /// How long a promise lasts without a byte.
  private static let headStart = TimeAmount.seconds(5)
  /// Bytes per second: `UploadPolicy` allows a second for each MiB.
  private static let pace = Double(1024 * 1024)

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
    let number = budgets.withLock { budgets in
      budgets.lastNumber += 1
      budgets.promises[budgets.lastNumber] = Promise()
      return budgets.lastNumber
    }
    let reservation = SpaceReservation(keeper: self, number: number)
    do {
      try await reserve(declaredSize ?? 0, for: number)
      return reservation
    } catch {
      reservation.release()
      throw error
    }
  }

  /// - Parameter pinned: of these and of what was promised before, bytes that are written now.
  fileprivate func reserve(_ bytes: Int64, for number: UInt64, pinned: Int64 = 0) async throws {
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
      do throws(UploadRejection) {
        try Self.promise(bytes, to: number, pinned: pinned, free: free, stored: stored, &budgets)
      } catch {
        guard Self.takeBack(exceptOf: number, &budgets) else { throw error }
        try Self.promise(bytes, to: number, pinned: pinned, free: free, stored: stored, &budgets)
      }
    }
  }

  private static func promise(
    _ bytes: Int64, to number: UInt64, pinned: Int64, free: Int64, stored: Int64, _ budgets: inout Budgets
  ) throws(UploadRejection) {
    try budgets.quota.reserve(bytes, free: .max, stored: stored)
    do throws(UploadRejection) {
      try budgets.disk.reserve(bytes, free: free, stored: 0)
    } catch {
      budgets.quota.release(bytes)
      throw error
    }
    budgets.promises[number]?.unwritten += max(0, bytes)
    budgets.promises[number]?.pinned = pinned
  }

  /// Somebody needs space: what slow uploads were promised and do not use is free again.
  ///
  /// - Returns: whether there was any.
  private static func takeBack(exceptOf number: UInt64, _ budgets: inout Budgets) -> Bool {
    let now = NIODeadline.now()
    var taken: Int64 = 0
    for (other, promise) in budgets.promises where other != number && promise.isBehind(now) {
      taken += promise.unwritten - promise.pinned
      budgets.promises[other]?.unwritten = promise.pinned
    }
    budgets.disk.release(taken)
    budgets.quota.release(taken)
    return taken > 0
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

  /// Holds `bytes` of what was promised for a write.
  ///
  /// - Returns: nil, or how many bytes are missing, and how many the upload has written so far.
  fileprivate func pin(_ bytes: Int64, for number: UInt64) -> (missing: Int64, written: Int64)? {
    budgets.withLock { budgets in
      guard var promise = budgets.promises[number] else { return nil }
      promise.pinned = min(bytes, promise.unwritten)
      budgets.promises[number] = promise
      return promise.pinned == bytes ? nil : (bytes - promise.pinned, promise.written)
    }
  }

  fileprivate func wrote(_ bytes: Int64, of number: UInt64) {
    budgets.withLock {
      $0.promises[number]?.unwritten -= bytes
      $0.promises[number]?.pinned = 0
      $0.promises[number]?.written += bytes
      $0.disk.release(bytes)
      $0.free -= bytes
    }
  }

  fileprivate func release(_ number: UInt64) {
    budgets.withLock {
      guard let promise = $0.promises.removeValue(forKey: number) else { return }
      $0.disk.release(promise.unwritten)
      $0.quota.release(promise.unwritten + promise.written)
      $0.releases += 1
    }
  }
}

/// The space promised to one upload. Belongs to its task; must be ended with `release`.
package final class SpaceReservation {
  /// What is reserved ahead of a body that has no promise: as much as has come, within these bounds. So nobody holds more
  /// than twice what they have sent.
  private static let steps: ClosedRange<Int64> = 128 * 1024...4 * 1024 * 1024

  private let keeper: SpaceKeeper
  private let number: UInt64

  fileprivate init(keeper: SpaceKeeper, number: UInt64) {
    self.keeper = keeper
    self.number = number
  }

  /// Called before `bytes` more are written: reserves what is missing.
  func willWrite(_ bytes: Int64) async throws {
    guard let (missing, written) = keeper.pin(bytes, for: number) else { return }
    let step = min(max(written, Self.steps.lowerBound), Self.steps.upperBound)
    do {
      try await keeper.reserve(max(missing, step), for: number, pinned: bytes)
    } catch is UploadRejection where step > missing {
      // Near the limit: what is really needed, no step.
      try await keeper.reserve(missing, for: number, pinned: bytes)
    }
  }

  /// The bytes are on the disk: they are missing from its free space by themselves now.
  func wrote(_ bytes: Int64) {
    keeper.wrote(bytes, of: number)
  }

  /// The upload is in the index, or has failed.
  func release() {
    keeper.release(number)
  }
}
