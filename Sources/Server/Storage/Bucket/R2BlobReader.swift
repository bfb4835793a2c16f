import NIOCore
import UploadCore

/// Reads one object.
final class R2BlobReader: BlobReader {
  let size: Int64
  var file: OpenFile? { nil }
  private let bucket: Bucket

  init(_ object: KnownObject, in bucket: Bucket) {
    size = object.size
    self.bucket = bucket
  }

  func read(
    _ range: Range<Int64>, allocator: ByteBufferAllocator, _ body: (ByteBuffer) async throws -> Void
  ) async throws {
    throw BucketFailure.unavailable("not written yet")
  }
}
