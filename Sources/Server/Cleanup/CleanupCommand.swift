import FoundationEssentials
import GRDB
import NIOCore
import NIOPosix
import UploadCore

/// `bashupload cleanup`: one pass over a data directory, with or without a server beside it.
package struct CleanupCommand {
  private let configuration: ServerConfiguration

  package init(_ configuration: ServerConfiguration) {
    self.configuration = configuration
  }

  /// - Throws: `StartFailure`, `IndexFailure`: one line with what to do.
  package func run(dryRun: Bool, rebuildsIndex: Bool = false) async throws -> CleanupReport {
    guard configuration.bucket != nil || FileManager.default.fileExists(atPath: configuration.dataDirectory) else {
      throw StartFailure("DATA_DIR \(configuration.dataDirectory) does not exist: nothing to clean, check the setting")
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let pool = NIOThreadPool(numberOfThreads: 2)
    pool.start()
    let outcome: Result<CleanupReport, any Error>
    do {
      let logger = configuration.log.logger("bashupload")
      let storage = try await Storage.open(
        configuration, pool: pool, eventLoopGroup: group, checksIntegrity: false, logger: logger,
        clock: { .systemNow() })
      do {
        outcome = .success(try await run(storage, dryRun: dryRun, rebuildsIndex: rebuildsIndex))
      } catch let error as DatabaseError {
        outcome = .failure(IndexFailure(error, UploadIndex.path(in: configuration.dataDirectory)))
      } catch {
        outcome = .failure(error)
      }
      await storage.close()
    } catch {
      outcome = .failure(error)
    }
    try? await pool.shutdownGracefully()
    try? await group.shutdownGracefully()
    return try outcome.get()
  }

  private func run(_ storage: Storage, dryRun: Bool, rebuildsIndex: Bool) async throws -> CleanupReport {
    // The lock tells whether a server is running.
    let lock = try? DataDirectoryLock(configuration.dataDirectory)
    let repaired = dryRun || lock == nil ? 0 : try await storage.cleaner.recover()
    withExtendedLifetime(lock) {}
    if rebuildsIndex, !dryRun { try await NodeJournal(index: storage.index).rebuild() }
    var report = try await storage.cleaner.run(now: .systemNow(), dryRun: dryRun)
    report.repairedRows = repaired
    return report
  }
}

extension CleanupReport {
  /// For machines.
  package func jsonLine() throws -> String {
    String(buffer: try json(ByteBufferAllocator())).filter { $0 != "\n" }
  }

  /// For people.
  package var sentence: String {
    "\(dryRun ? "would delete" : "deleted") \(deletedObjects) objects (\(ByteCount(freedBytes))), "
      + "forget \(forgottenRows) expired uploads, sweep \(sweptFiles) leftovers; \(failures) failures"
  }
}
