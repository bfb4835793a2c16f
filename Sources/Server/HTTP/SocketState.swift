import Glibc
import NIOCore

/// What the kernel knows about the outgoing side of a TCP connection.
struct SocketState {
  /// Bytes written to the socket that the peer has not acknowledged yet (SIOCOUTQ).
  var unacknowledgedBytes: Int
  /// Bytes that the peer has acknowledged since the connection began (`tcpi_bytes_acked`, RFC 4898).
  var acknowledgedBytes: UInt64

  /// Asks the kernel. Must be called on the channel's event loop; nil when the channel is no open TCP socket.
  static func of(_ channel: any Channel) -> SocketState? {
    guard channel.isActive else { return nil }
    let state = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      SocketState(descriptor: descriptor)
    }
    return state ?? nil
  }

  private init?(descriptor: CInt) {
    var queued: CInt = 0
    guard ioctl(descriptor, UInt(TIOCOUTQ), &queued) == 0 else { return nil }
    unacknowledgedBytes = Int(queued)
    // glibc's `struct tcp_info` ends before the byte counters that Linux has added since 4.1, so read the raw bytes
    // (linux/tcp.h: tcpi_bytes_acked is the u64 at offset 120).
    let offset = 120
    var info = [UInt8](repeating: 0, count: 256)
    var length = socklen_t(info.count)
    guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0, Int(length) >= offset + 8 else {
      return nil
    }
    acknowledgedBytes = info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
  }
}
