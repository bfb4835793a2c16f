import Glibc
import Synchronization
import UploadCore

/// The Date field (RFC 9110, 6.6.1), formatted once a second.
enum HTTPDateCache {
  private static let cached = Mutex<(second: Int, text: String)>((0, ""))

  static func now() -> String {
    let second = time(nil)
    return cached.withLock { entry in
      if entry.second != second {
        entry = (second, Timestamp(seconds: Int64(second)).httpDate)
      }
      return entry.text
    }
  }
}
