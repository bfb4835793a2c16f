import UploadCore

/// 2026-11-22T15:04:05Z.
let noon = Timestamp(seconds: 1_795_359_845)

/// An id that expires then.
func makeID(expiring time: Timestamp = noon, seed: UInt64 = 1) -> UploadID {
  var generator = SplitMix64(seed: seed)
  guard let id = UploadID(expiresAt: time, using: &generator) else { fatalError("no id expires at \(time)") }
  return id
}

/// A limit of so many downloads.
func limit(_ count: Int) -> DownloadLimit {
  guard let limit = DownloadLimit(count) else { fatalError("no limit of \(count)") }
  return limit
}
