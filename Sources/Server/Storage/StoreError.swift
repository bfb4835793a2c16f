import UploadCore

/// Why the store could not do what it was asked.
package enum StoreError: Error {
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

  /// For the log and the operator.
  var reason: String {
    if case .unavailable(let reason, _) = self { reason } else { "\(self)" }
  }
}
