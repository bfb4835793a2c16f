import NIOCore

/// What one connection may cost us. All times are ours to choose: see the settings of the same names.
package struct ConnectionLimits: Sendable {
  /// From the first byte of a request (or the accept) to the end of its head.
  package var headerTimeout: TimeAmount = .seconds(15)
  /// Without any byte moved: between requests, inside a body, or while a response waits for the peer.
  package var idleTimeout: TimeAmount = .seconds(60)
  /// Bytes per second, averaged over one idle timeout, below which a transfer is ended; 0 = off.
  package var minimumRate: Int = 64
  /// Longest request target, in bytes (414 above).
  package var maximumTargetLength: Int = 8 * 1024
  /// All header names and values together, in bytes (431 above).
  package var maximumHeaderSize: Int = 32 * 1024
  /// Header fields in one request (431 above).
  package var maximumHeaderCount: Int = 100

  /// Bytes of a refused body that are swallowed, so that its sender gets to read why: the largest upload.
  package var lingerBytes: Int64 = Lingering.leastBytes

  package init() {}
}
