/// One step of cleanup. Each may be repeated: after a crash the plan is made again.
public enum CleanupAction: Hashable, Sendable {
  /// Delete the bytes of an upload (and end its multipart upload, when it is unfinished). Gone already is success.
  case deleteObject(UploadID)
  /// Delete the claims of an upload. Only after its expiry: until then they say that its downloads are used up.
  case deleteClaims(UploadID)
  /// Delete the row of an upload. Comes last: what is in the store without a row would stay.
  case forget(UploadID)
  /// Delete the directory of a bucket (`UploadID.bucket`) with whatever is in it: every id of it has expired.
  case removeBucket(String)
}
