import R2Client
import UploadCore

/// An upload as the bucket has it.
package struct KnownObject: Sendable, Hashable {
  /// What the metadata say. `sha256` is empty when the digest of a large upload is lost.
  package var record: UploadRecord
  /// Names these bytes: of the object as it was when we looked.
  package var eTag: S3ETag
  /// Bytes, by the store's own count.
  package var size: Int64
  /// Where it is: `u/<id>`, or the flat key of an object of an older program.
  package var key: String

  package init(record: UploadRecord, eTag: S3ETag, size: Int64, key: String? = nil) {
    self.record = record
    self.key = key ?? ObjectKey(record.id).description
    self.eTag = eTag
    self.size = size
  }
}
