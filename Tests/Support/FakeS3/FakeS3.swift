import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An S3 server in memory with R2's own rules, on loopback, whose calls can be made to fail.
///
/// It checks signatures, conditions, lengths, parts and rates as R2 documents them, where radosgw is looser. What it does
/// not have: several buckets, versions, checksums beyond Content-MD5, and limits on sizes.
package final class FakeS3: Sendable {
  package let rules: FakeS3Rules
  private let channel: any Channel
  private let service: Mutex<FakeService>
  private let plan: Mutex<FaultPlan>

  /// Begins to listen.
  ///
  /// - Parameter port: 0 takes any free one.
  package static func start(_ rules: FakeS3Rules = FakeS3Rules(), port: Int = 0) async throws -> FakeS3 {
    let shared = Shared()
    let channel = try await listen(port: port, fate: { shared.fate($0) }, answer: { shared.answer($0) })
    let fake = FakeS3(rules, channel)
    shared.server.withLock { $0 = fake }
    return fake
  }

  private init(_ rules: FakeS3Rules, _ channel: any Channel) {
    self.rules = rules
    self.channel = channel
    service = Mutex(FakeService(rules))
    plan = Mutex(FaultPlan())
  }

  /// Closes the listening socket; connections end with their clients.
  package func stop() async {
    try? await channel.close()
  }

  package var port: Int { channel.localAddress?.port ?? 0 }
  package var endpoint: String { "http://127.0.0.1:\(port)" }

  /// Calls since the start, by operation.
  package var calls: [String: Int] { plan.withLock { $0.calls } }
  package var callCount: Int { calls.values.reduce(0, +) }
  /// What is stored: for assertions about leftovers.
  package var keys: [String] { service.withLock { $0.bucket.objects.keys.sorted() } }
  package var openUploads: Int { service.withLock { $0.bucket.uploads.count } }

  /// Changes which calls fail.
  package func faults(_ change: (inout FaultPlan) -> Void) {
    plan.withLock { change(&$0) }
  }

  fileprivate func fate(_ request: FakeS3Request) -> (fault: FakeS3Fault, retryAfter: Int?)? {
    plan.withLock { $0.next(request.operation ?? "Unknown") }
  }

  fileprivate func answer(_ request: FakeS3Request) -> FakeS3Reply {
    service.withLock { $0.answer(request) }
  }

  /// A server that answers from memory.
  static func listen(
    port: Int, fate: @escaping FakeConnection.Fate, answer: @escaping FakeConnection.Answer
  ) async throws -> any Channel {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.submit {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
          try channel.pipeline.syncOperations.addHandler(FakeConnection(fate: fate, answer: answer))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
  }
}

/// The connections need the server, and the server needs its channel.
private final class Shared: Sendable {
  let server = Mutex<FakeS3?>(nil)

  func fate(_ request: FakeS3Request) -> (fault: FakeS3Fault, retryAfter: Int?)? {
    server.withLock { $0 }?.fate(request)
  }

  func answer(_ request: FakeS3Request) -> FakeS3Reply {
    server.withLock { $0 }?.answer(request) ?? .error(503, "ServiceUnavailable")
  }
}
