import Glibc
import NIOCore

/// A temporary file without a name: it is gone with its last reference, or with the process.
final class SpoolFile: Sendable {
  private let descriptor: CInt

  init(in directory: String) throws(StoreError) {
    do {
      descriptor = try Posix.openNameless(in: directory)
    } catch .system(_, let code) where code == EOPNOTSUPP || code == EISDIR || code == EINVAL {
      // A file system without O_TMPFILE.
      var random = SystemRandomNumberGenerator()
      let path = "\(directory)/.part-\(Hex.random128(using: &random))"
      descriptor = try Posix.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
      _ = try? Posix.unlink(path)
    }
  }

  deinit {
    close(descriptor)
  }

  func write(_ bytes: ByteBuffer, at offset: Int) throws {
    try bytes.withUnsafeReadableBytes { try Posix.writeAll(descriptor, $0, at: Int64(offset)) }
  }

  /// Reads exactly `count` bytes. Blocks for as long as the disk does.
  func read(at offset: Int, count: Int) throws -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: count)
    while buffer.readableBytes < count {
      let done = buffer.readableBytes
      let got = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { space in
        try Posix.check("pread") { pread(descriptor, space.baseAddress, count - done, off_t(offset + done)) }
      }
      guard got > 0 else { throw StoreError.system(operation: "pread", errno: EIO) }
    }
    return buffer
  }
}
