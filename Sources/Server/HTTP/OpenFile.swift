import Glibc
import NIOCore

/// A file opened for reading; closed with its last reference. Everything about a download happens on the descriptor,
/// so a file that is deleted meanwhile is still delivered whole.
package final class OpenFile: Sendable {
  let handle: NIOFileHandle
  /// In bytes, when it was opened.
  package let size: Int64

  /// Takes ownership of the descriptor.
  init(descriptor: CInt, size: Int64) {
    handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
    self.size = size
  }

  deinit {
    try? handle.close()
  }

  /// Reads exactly `count` bytes at `offset` (pread). Blocks for as long as the disk does.
  ///
  /// - Throws: `IOError`; also when the file has become shorter.
  package func read(at offset: Int64, count: Int, allocator: ByteBufferAllocator) throws -> ByteBuffer {
    var buffer = allocator.buffer(capacity: count)
    try handle.withUnsafeFileDescriptor { descriptor in
      while buffer.readableBytes < count {
        let done = buffer.readableBytes
        let got = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { space in
          let result = pread(descriptor, space.baseAddress, count - done, off_t(offset) + off_t(done))
          if result < 0 { throw IOError(errnoCode: errno, reason: "pread") }
          return result
        }
        if got == 0 { throw IOError(errnoCode: EIO, reason: "pread: the file is shorter than it was") }
      }
    }
    return buffer
  }
}
