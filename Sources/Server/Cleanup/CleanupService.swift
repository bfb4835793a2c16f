import Logging
import ServiceLifecycle
import UploadCore

/// Runs cleanup inside `serve`: once at start, for what a crash has left, then at every interval.
package struct CleanupService: Service {
  let cleaner: any Cleaner
  /// Seconds.
  let interval: Int64
  let now: @Sendable () -> Timestamp
  let logger: Logger

  package func run() async throws {
    await pass()
    for await _ in AsyncTimer(every: .seconds(interval)).cancelOnGracefulShutdown() {
      await pass()
    }
  }

  private func pass() async {
    do {
      let report = try await cleaner.run(now: now(), dryRun: false)
      logger.info(
        "cleanup",
        metadata: [
          "deletedObjects": "\(report.deletedObjects)", "freedBytes": "\(report.freedBytes)",
          "forgottenRows": "\(report.forgottenRows)", "sweptFiles": "\(report.sweptFiles)",
          "failures": "\(report.failures)",
        ])
    } catch is CancellationError {
      // The server is stopping.
    } catch {
      logger.error("cleanup failed, it will be tried again", metadata: ["error": "\(error)"])
    }
  }
}
