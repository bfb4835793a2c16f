import Crypto
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import UploadCore

/// Blobs as files of one file system.
///
/// Layout: `u/<first 4 characters of the id>/<id>`. Ids begin with the second of their expiry, so a folder holds the
/// uploads that expire within the same 22 minutes: an expired folder is removed as a whole, and nothing that lives is
/// ever listed.
///
/// A blob is written into a file without a name (O_TMPFILE), synced, and gets its name with linkat(2): an unfinished
/// upload is never visible and a crash leaves nothing. File systems without O_TMPFILE use `tmp/<id>`, held by flock(2)
/// while its writer lives; those without hard links as well rename it. Which way works is tried, not believed.
package final class LocalBlobStore: BlobStore {
  let root: String
  /// `u`, open: paths from here are short, and looked up faster.
  let uploads: CInt
  let pool: NIOThreadPool
  let eventLoopGroup: any EventLoopGroup
  private let publications = BatchQueue<PendingPublication>()
  private let checkedUntil = Mutex(ContinuousClock.now)
  private let proofs = Atomic(0)
  /// How a finished file gets its name.
  let naming: Naming
  /// The file system is in memory (tmpfs): no call waits for a disk, so none needs another thread.
  package let isInMemory: Bool
  private let now: @Sendable () -> Timestamp
  /// Folders that this process knows to be durable themselves.
  private let syncedFolders = Mutex<Set<String>>([])

  /// How a finished file gets its name, the best way first.
  package enum Naming: String, Sendable, CaseIterable {
    /// A file without a name is linked: a crash leaves nothing.
    case nameless
    /// A named file is linked: never replaces another.
    case linked
    /// A named file is renamed, when nothing has its name: for file systems without hard links (exFAT, SMB, some of FUSE).
    /// Only this process publishes here (`DataDirectoryLock`).
    case renamed
  }

  /// A synced file that is to get its name.
  struct Publication: Sendable {
    var id: UploadID
    var descriptor: CInt
    /// Its name under `tmp`, where the file system has no O_TMPFILE.
    var temporaryPath: String?
  }

  private typealias PendingPublication = (
    publication: Publication, continuation: CheckedContinuation<Void, any Error>
  )

  /// Bodies up to this size are kept in memory and written in one go, so that a small upload costs one trip to the
  /// thread pool.
  static let smallSize = 64 * 1024

  /// - Parameters:
  ///   - root: the data directory; created when it is missing.
  ///   - ways: which ways of naming may be used; for tests of the others.
  package init(
    root: String, pool: NIOThreadPool, eventLoopGroup: any EventLoopGroup, ways: [Naming] = Naming.allCases,
    now: @escaping @Sendable () -> Timestamp
  ) throws {
    self.root = root
    self.pool = pool
    self.eventLoopGroup = eventLoopGroup
    self.now = now
    for directory in [root, root + "/u", root + "/tmp"] { try Posix.makeDirectory(directory) }
    try Posix.syncDirectory(root)
    isInMemory = Posix.isInMemory(root)
    uploads = try Posix.open(root + "/u", O_RDONLY | O_DIRECTORY)
    naming = try Self.firstThatWorks(of: ways, root: root, uploads: uploads)
  }

  deinit {
    close(uploads)
  }

  package func create(_ draft: UploadRecord, declaredSize: Int64?) async throws -> any BlobWriter {
    LocalBlobWriter(id: draft.id, store: self)
  }

  package func open(_ id: UploadID) async throws -> (any BlobReader)? {
    try Posix.openForReading(relativePath(id), in: uploads).map { LocalBlobReader(file: $0, pool: pool) }
  }

  package func delete(_ id: UploadID) async throws {
    let path = path(id)
    // Not the form that ends with its task: what a cancelled upload takes back has to go.
    try await pool.runIfActive(eventLoop: eventLoopGroup.any()) { _ = try Posix.unlink(path) }.get()
  }

  package func freeSpace() throws -> Int64? {
    var info = statvfs()
    try Posix.check("statvfs") { statvfs(root, &info) }
    return Int64(clamping: UInt64(info.f_bavail) * UInt64(info.f_frsize))
  }

  /// Publishes a file and removes it, with every step that an upload takes. A good answer is good for a second:
  /// readiness may be asked for often.
  package func check() async throws {
    if checkedUntil.withLock({ $0 > .now }) { return }
    try await prove()
    checkedUntil.withLock { $0 = .now + .seconds(1) }
  }

  package func prove() async throws {
    let number = proofs.add(1, ordering: .relaxed).newValue
    let (root, uploads, naming) = (root, uploads, naming)
    try await pool.runIfActive { try PublicationProof(root, uploads, number: number).run(naming) }
  }

  private static func firstThatWorks(
    of ways: [Naming], root: String, uploads: CInt
  ) throws(StoreError) -> Naming {
    var failure = StoreError.system(operation: "link", errno: EOPNOTSUPP)
    for way in ways {
      do {
        try PublicationProof(root, uploads, number: 0).run(way)
        return way
      } catch .full {
        throw .full
      } catch {
        failure = error
      }
    }
    throw failure
  }

  package func sweep(now: Timestamp, dryRun: Bool) async throws -> SweepReport {
    try await pool.runIfActive { [self] in
      var report = SweepReport()
      try sweepUnfinished(dryRun: dryRun, &report)
      try sweepExpiredFolders(now: now, dryRun: dryRun, &report)
      return report
    }
  }

  /// Runs calls that wait for the disk, without holding up the event loop.
  func waiting<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    isInMemory ? try body() : try await pool.runIfActive(body)
  }

  func path(_ id: UploadID) -> String { root + "/u/" + relativePath(id) }
  private func relativePath(_ id: UploadID) -> String { id.bucket + "/" + id.description }
  private func folder(_ id: UploadID) -> String { root + "/u/" + id.bucket }

  // MARK: Publishing

  /// Names the file and returns when the name is durable. Blobs that are published at the same time share the fsync of
  /// their folder.
  func publish(_ publication: Publication) async throws {
    if isInMemory { return try name(publication) }
    try await withCheckedThrowingContinuation { continuation in
      if publications.add((publication, continuation)) {
        pool.submit { state in
          if case .active = state { self.drainPublications() } else { self.cancelPublications() }
        }
      }
    }
  }

  private func drainPublications() {
    while true {
      let batch = publications.take()
      if batch.isEmpty { return }
      var folders: [String: StoreError?] = [:]
      var outcomes: [(PendingPublication, StoreError?)] = []
      for pending in batch {
        do throws(StoreError) {
          try name(pending.publication)
          folders[folder(pending.publication.id)] = .some(nil)
          outcomes.append((pending, nil))
        } catch {
          outcomes.append((pending, error))
        }
      }
      for path in folders.keys {
        do throws(StoreError) { try Posix.syncDirectory(path) } catch { folders[path] = error }
      }
      for (pending, failure) in outcomes {
        if let failure = failure ?? (folders[folder(pending.publication.id)] ?? nil) {
          pending.continuation.resume(throwing: failure)
        } else {
          pending.continuation.resume()
        }
      }
    }
  }

  private func cancelPublications() {
    for pending in publications.take() { pending.continuation.resume(throwing: CancellationError()) }
  }

  private func name(_ publication: Publication) throws(StoreError) {
    guard publication.id.expiresAt > now() else { throw .expired(publication.id) }
    try prepareFolder(publication.id)
    do {
      try link(publication)
    } catch .system(_, ENOENT) {
      // Cleanup has removed the folder: make it again.
      syncedFolders.withLock { _ = $0.remove(publication.id.bucket) }
      try prepareFolder(publication.id)
      try link(publication)
    } catch .system(_, EEXIST) {
      throw .exists(publication.id)
    }
  }

  private func link(_ publication: Publication) throws(StoreError) {
    try Self.link(publication.descriptor, publication.temporaryPath, to: relativePath(publication.id), uploads, naming)
  }

  /// Gives a file its name, and never replaces another.
  ///
  /// - Parameters:
  ///   - temporary: its name until now; nil when it has none.
  ///   - path: from `uploads`.
  static func link(
    _ descriptor: CInt, _ temporary: String?, to path: String, _ uploads: CInt, _ naming: Naming
  ) throws(StoreError) {
    guard let temporary else { return try Posix.link(descriptor, to: path, in: uploads) }
    if naming == .renamed { return try Posix.renameIfAbsent(temporary, to: path, in: uploads) }
    try Posix.check("link") { linkat(AT_FDCWD, temporary, uploads, path, 0) }
    try Posix.unlink(temporary)
  }

  /// Makes the folder of an upload before its first file, and durable: one fsync per 22 minutes.
  private func prepareFolder(_ id: UploadID) throws(StoreError) {
    if syncedFolders.withLock({ $0.contains(id.bucket) }) { return }
    try Posix.makeDirectory(folder(id))
    try Posix.syncDirectory(root + "/u")
    syncedFolders.withLock { folders in
      if folders.count > 10_000 { folders.removeAll() }
      folders.insert(id.bucket)
    }
  }

  // MARK: Sweeping

  /// Removes named temporary files whose writer has died: its lock died with it.
  private func sweepUnfinished(dryRun: Bool, _ report: inout SweepReport) throws(StoreError) {
    for name in try Posix.names(in: root + "/tmp") where !name.hasPrefix(".") {
      let path = root + "/tmp/" + name
      guard let descriptor = try? Posix.open(path, O_RDONLY) else { continue }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      try remove(path, dryRun: dryRun, &report)
    }
  }

  /// Removes folders whose uploads have all expired. The index empties them first; what is still in them is known to
  /// nobody (a lost index).
  private func sweepExpiredFolders(now: Timestamp, dryRun: Bool, _ report: inout SweepReport) throws(StoreError) {
    for bucket in try Posix.names(in: root + "/u") {
      // One more minute: an upload is not published after its expiry, and clocks step.
      guard let end = UploadID.bucketEnd(bucket) else { continue }
      guard end.adding(seconds: 60) <= now else { break }
      let folder = root + "/u/" + bucket
      for name in try Posix.names(in: folder) where UploadID(name) != nil {
        try remove(folder + "/" + name, dryRun: dryRun, &report)
      }
      if !dryRun { rmdir(folder) }
    }
  }

  private func remove(_ path: String, dryRun: Bool, _ report: inout SweepReport) throws(StoreError) {
    var info = stat()
    if lstat(path, &info) == 0 { report.bytes += Int64(info.st_size) }
    if !dryRun { try Posix.unlink(path) }
    report.files += 1
  }
}
