import Glibc
import UploadCore

/// Why the store could not do what it was asked.
package enum StoreError: Error, CustomStringConvertible {
  /// The file system is full (ENOSPC, EDQUOT).
  case full
  /// The name is taken: an id was drawn twice.
  case exists(UploadID)
  /// The time of the upload was over before it could be published.
  case expired(UploadID)
  /// A remote store does not answer, or refuses; `reason` is for the log. Nothing is known to have changed.
  case unavailable(reason: String, retryAfter: Int)
  /// Anything else that the system said: the call, the file's role (never a user's name), the reason.
  case system(operation: String, errno: CInt)

  /// Without ids, which are all that somebody needs to fetch a file.
  package var description: String { reason }

  /// For the log and the operator, without ids and paths.
  package var reason: String {
    switch self {
    case .full: "the file system is full"
    case .exists: "the id is taken"
    case .expired: "the upload expired before it was published"
    case .unavailable(let reason, _): reason
    case .system(let operation, let code): "\(operation): \(String(cString: strerror(code)))"
    }
  }
}
