import Synchronization
import UploadCore

/// How far a pass of cleanup has come, for whoever watches it on a terminal.
package final class CleanupProgress: Sendable {
  /// Of the pass that runs in this task; nil when nobody watches.
  @TaskLocal package static var current: CleanupProgress?

  private let removed = Mutex((objects: 0, bytes: Int64(0)))

  package init() {}

  func add(objects: Int, bytes: Int64) {
    removed.withLock {
      $0.objects += objects
      $0.bytes += bytes
    }
  }

  /// `cleanup: 1000 objects removed so far (1.5 MiB)`
  package var line: String {
    let (objects, bytes) = removed.withLock { $0 }
    return "cleanup: \(objects) objects removed so far (\(ByteCount(bytes)))"
  }
}
