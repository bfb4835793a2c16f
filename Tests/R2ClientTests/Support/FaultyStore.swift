import FakeS3
import NIOCore
import NIOPosix
import R2Client
import Synchronization

/// A fake and a client of it whose pauses take no time and are written down.
struct FaultyStore {
  let fake: FakeS3
  let client: R2Client
  let log: Log

  final class Log: Sendable {
    let pauses = Mutex<[Duration]>([])
    let reports = Mutex<[S3OperationReport]>([])
  }

  static func with(
    rules: (inout FakeS3Rules) -> Void = { _ in }, options change: (inout R2ClientOptions) -> Void = { _ in },
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    _ test: (FaultyStore) async throws -> Void
  ) async throws {
    var fakeRules = FakeS3Rules()
    fakeRules.minimumPartSize = 1 << 10
    fakeRules.writeInterval = nil
    rules(&fakeRules)
    let fake = try await FakeS3.start(fakeRules)
    let log = Log()
    var options = R2ClientOptions()
    options.partLimits.minimumSize = Int64(fakeRules.minimumPartSize)
    options.jitter = { 1 }
    options.sleep = { pause in log.pauses.withLock { $0.append(pause) } }
    options.observe = { report in log.reports.withLock { $0.append(report) } }
    change(&options)
    let (place, keys) = Store.settings(fake)
    let client = try R2Client(
      configuration: place, credentials: keys, options: options, eventLoopGroup: eventLoopGroup)
    do {
      try await test(FaultyStore(fake: fake, client: client, log: log))
    } catch {
      try await client.shutdown()
      await fake.stop()
      throw error
    }
    try await client.shutdown()
    await fake.stop()
  }

  /// The S3Error that an operation ends with; nil when it succeeds.
  func failure<Result>(_ operation: (R2Client) async throws -> Result) async throws -> S3Error? {
    do {
      _ = try await operation(client)
      return nil
    } catch let error as S3Error {
      return error
    }
  }
}
