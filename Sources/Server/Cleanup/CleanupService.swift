import Logging
import ServiceLifecycle
import UploadCore

/// Runs cleanup inside `serve`: once at start, for what a crash has left, then at every interval.
package struct CleanupService: Service {
  let cleaner: any Cleaner
  /// Whether somebody else removes what has expired, and only this node's own debts are left to it.
  let isElsewhere: Bool
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
      let report = try await isElsewhere ? cleaner.payDebts(now: now()) : cleaner.run(now: now(), dryRun: false)
      if isElsewhere, report == CleanupReport() { return }
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
