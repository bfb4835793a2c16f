import NIOCore
import UploadCore

/// Ends a transfer whose upload is over, so that the disk space of a file is free a bounded time after its expiry or its
/// deletion, however slowly somebody fetches it.
struct TransferDeadline {
  /// Seconds that a transfer may go on after the expiry.
  static let grace: Int64 = 30
  /// How often a transfer asks whether its upload was deleted, by whatever process or node.
  static let interval: Int64 = 15

  let id: UploadID
  let catalog: any UploadCatalog
  let now: @Sendable () -> Timestamp

  /// Runs a transfer, and closes its connection when the time is over.
  func run(cutting writer: ResponseWriter, _ transfer: () async throws -> Void) async throws {
    let abort = writer.abort
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        if await isOver() { abort() }
      }
      defer { group.cancelAll() }
      try await transfer()
    }
  }

  /// Returns when the upload is over; false when the transfer has ended before.
  private func isOver() async -> Bool {
    let end = id.expiresAt.adding(seconds: Self.grace)
    while true {
      let rest = end.milliseconds(since: now())
      guard rest > 0 else { return true }
      do { try await Task.sleep(for: .milliseconds(min(rest, Self.interval * 1000))) } catch { return false }
      if (try? await catalog.isWithdrawn(id)) == true { return true }
    }
  }
}
