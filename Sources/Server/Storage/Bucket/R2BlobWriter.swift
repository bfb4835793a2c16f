import NIOCore
import UploadCore

/// Writes one object. Not Sendable: belongs to the task of its upload.
final class R2BlobWriter: BlobWriter {
  private let draft: UploadRecord
  private let bucket: Bucket

  init(_ draft: UploadRecord, declaredSize: Int64?, in bucket: Bucket) throws {
    self.draft = draft
    self.bucket = bucket
  }

  func receive(_ next: () async throws -> ByteBuffer?) async throws -> BlobDigest {
    throw BucketFailure.unavailable("not written yet")
  }

  func publish() async throws {
    throw BucketFailure.unavailable("not written yet")
  }

  func discard() async {}
}
