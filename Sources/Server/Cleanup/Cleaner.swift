import UploadCore

/// Removes what is over. One for the local disk (`CleanupRun`), one for a bucket (`BucketCleanup`).
///
/// Safe beside running servers and beside itself: every step can be repeated and none touches what lives.
package protocol Cleaner: Sendable {
  /// One pass. Costs O(expired).
  func run(now: Timestamp, dryRun: Bool) async throws -> CleanupReport

  /// The part of a pass that only this node can do: what it owes and nobody else knows of.
  func payDebts(now: Timestamp) async throws -> CleanupReport

  /// Mends what a crash of this node has left; only where no server is running on its data directory.
  ///
  /// - Returns: how many things were mended.
  func recover() async throws -> Int
}

/// What a pass has done, or with `dryRun` would do.
package struct CleanupReport: Encodable, Sendable, Equatable {
  package var dryRun = false
  /// Uploads whose bytes left the store: expired, consumed or deleted.
  package var deletedObjects = 0
  package var freedBytes: Int64 = 0
  /// Rows of uploads that have expired and whose bytes are gone.
  package var forgottenRows = 0
  /// What a crash had left: rows without bytes, uploads without an end.
  package var repairedRows = 0
  /// Why the bytes left: expired, consumed, deleted, blocked.
  package var reasons: [String: Int] = [:]
  /// Leftovers of crashes and of lost indexes.
  package var sweptFiles = 0
  /// Things that could not be removed; they are tried again in the next pass.
  package var failures = 0

  package init() {}
}
