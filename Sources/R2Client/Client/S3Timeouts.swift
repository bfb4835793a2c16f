/// Limits on waiting. None of them limits how long a transfer takes that moves.
public struct S3Timeouts: Sendable, Hashable {
  /// For a connection: name look-up, TCP, TLS, and the wait for a free place in the pool.
  public var connect: Duration
  /// From the last byte of the request to the first of the answer.
  public var firstByte: Duration
  /// Without any byte moving, while the request is sent or while the body of the answer is waited for. Time in which the
  /// caller takes no bytes, or has none to send, does not count.
  public var idle: Duration

  /// Ten seconds to connect, thirty to wait for anything else.
  public init(connect: Duration = .seconds(10), firstByte: Duration = .seconds(30), idle: Duration = .seconds(30)) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
  }
}
