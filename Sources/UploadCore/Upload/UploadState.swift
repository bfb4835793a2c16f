/// What can be said of an upload to somebody who asks. The raw values are part of the JSON interface.
public enum UploadState: String, CaseIterable, Hashable, Sendable {
  /// May be downloaded.
  case available
  /// Every remaining download is under way; one may become free again.
  case leased
  /// All downloads are used up.
  case consumed
  /// Its time is over.
  case expired
  /// Its owner deleted it.
  case deleted
  /// The operator blocked it.
  case blocked
}
