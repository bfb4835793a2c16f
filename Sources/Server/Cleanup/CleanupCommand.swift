import FoundationEssentials
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
  package func run(dryRun: Bool) async throws -> CleanupRun.Report {
    guard FileManager.default.fileExists(atPath: configuration.dataDirectory) else {
      throw StartFailure("DATA_DIR \(configuration.dataDirectory) does not exist: nothing to clean, check the setting")
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let pool = NIOThreadPool(numberOfThreads: 2)
    pool.start()
    let outcome: Result<CleanupRun.Report, any Error>
    do {
      let storage = try Storage.open(
        configuration, pool: pool, eventLoopGroup: group, checksIntegrity: false, clock: { .systemNow() })
      let logger = configuration.log.logger("bashupload")
      let run = CleanupRun(store: storage.store, index: storage.index, logger: logger)
      // The lock tells whether a server is running.
      let lock = try? DataDirectoryLock(configuration.dataDirectory)
      let repaired = dryRun || lock == nil ? 0 : try await run.repairUnpublished()
      withExtendedLifetime(lock) {}
      var report = try await run.run(now: .systemNow(), dryRun: dryRun)
      report.repairedRows = repaired
      try storage.index.close()
      outcome = .success(report)
    } catch {
      outcome = .failure(error)
    }
    try? await pool.shutdownGracefully()
    try? await group.shutdownGracefully()
    return try outcome.get()
  }
}

extension CleanupRun.Report {
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
