/// Why an upload is refused. Each case knows its numbers, so that the message can name them.
public enum UploadRejection: Error, Hashable, Sendable {
  /// Larger than the limit. `declared` is `nil` when the body had no length and ran over.
  case tooLarge(limit: ByteCount, declared: Int64?)
  /// A header that cannot be understood. `requirement` completes "… must".
  case badHeader(name: String, value: String, requirement: String)
  /// A lifetime above the limit, both in seconds.
  case lifetimeAboveLimit(header: String, seconds: Int64, limit: Int64)
  /// More downloads than the limit.
  case downloadsAboveLimit(Int, limit: Int)
  /// A name that is none.
  case fileName(FileNameError)
  /// The disk has too little space: bytes needed, bytes free (without what other uploads have reserved), bytes that
  /// have to stay free.
  case noSpace(needed: Int64, free: Int64, keep: Int64)
  /// All uploads together would be larger than the quota. `used` includes what other uploads have reserved.
  case quota(limit: ByteCount, used: ByteCount, needed: Int64)
  /// The body ended before, or went on after, its declared size; in bytes.
  case lengthMismatch(declared: Int64, received: Int64)
  /// The bytes have another digest than the uploader named.
  case digestMismatch
  /// The upload was not finished when its time was over.
  case unfinishedAtExpiry(Timestamp)
  /// The expiry cannot be written into an id: the server's clock is wrong.
  case expiryOutOfRange(Timestamp)
}
