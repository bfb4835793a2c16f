import AsyncHTTPClient
public import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// A client for one bucket of Cloudflare R2, or of another S3 service in path style.
///
/// Each method is one operation of S3 under its own name. All throw ``S3Error``, `CancellationError` when the task was
/// cancelled, and what a body's closure throws. What can be repeated is repeated (``S3Repeats``, ``RetryPolicy``).
///
/// Speaks HTTP/1.1: a connection carries one transfer, and their number is limited (``R2ClientOptions/connectionLimit``).
/// Must be shut down when it is no longer used.
public final class R2Client: Sendable {
  /// Where the bucket is.
  public let configuration: R2Configuration
  /// How the client behaves.
  public let options: R2ClientOptions
  /// How an entity tag is written in `If-Match` of a write: as configured, or as found out.
  public var writeETags: R2Configuration.ETagQuoting { quoting.withLock { $0 } }
  private let quoting: Mutex<R2Configuration.ETagQuoting>

  /// The ways that are left to try: the configured one, else all.
  public var possibleWriteETags: [R2Configuration.ETagQuoting] {
    configuration.writeETags.map { [$0] } ?? R2Configuration.ETagQuoting.allCases
  }

  /// Writes entity tags so from now on.
  public func use(_ quoting: R2Configuration.ETagQuoting) {
    self.quoting.withLock { $0 = quoting }
  }

  let signer: SigV4Signer
  let http: HTTPClient
  let budget: RetryBudget
  /// Scheme and authority of the endpoint, and the path below which the bucket lies.
  let endpoint: Endpoint

  /// A client that has not connected yet.
  ///
  /// - Throws: ``S3Error`` with `InvalidArgument` when the endpoint is no http or https URL, `TrustRootsUnreadable` when
  ///   ``R2ClientOptions/trustRootsFile`` is no file of certificates.
  public init(
    configuration: R2Configuration, credentials: S3Credentials, options: R2ClientOptions = R2ClientOptions(),
    eventLoopGroup: any EventLoopGroup
  ) throws {
    self.configuration = configuration
    self.options = options
    quoting = Mutex(configuration.writeETags ?? .quoted)
    endpoint = try Endpoint(configuration)
    signer = SigV4Signer(credentials: credentials, region: configuration.region)
    budget = RetryBudget(options.retry)

    var http = HTTPClient.Configuration()
    http.httpVersion = .http1Only
    http.redirectConfiguration = .disallow
    http.timeout = .init(connect: TimeAmount(options.timeouts.connect))
    http.connectionPool = .init(
      idleTimeout: TimeAmount(options.idleConnectionLifetime),
      concurrentHTTP1ConnectionsPerHostSoftLimit: options.connectionLimit)
    // Repeating is ours to decide and to count.
    http.connectionPool.retryConnectionEstablishment = false
    let timeouts = options.timeouts
    http.http1_1ConnectionDebugInitializer = { channel in
      // Between the codec and AsyncHTTPClient's handler, on the channel's event loop as the client promises.
      channel.eventLoop.submit {
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(StallHandler(timeouts), position: .after(decoder))
      }
    }
    if let file = options.trustRootsFile {
      var tls = TLSConfiguration.makeClientConfiguration()
      // Read now: a file that cannot be read would be told of by every request, as a failure of TLS.
      guard let roots = try? NIOSSLCertificate.fromPEMFile(file), !roots.isEmpty else {
        throw S3Error(.trustRootsUnreadable, file, operation: .headBucket)
      }
      tls.trustRoots = .certificates(roots)
      http.tlsConfiguration = tls
    }
    self.http = HTTPClient(eventLoopGroup: eventLoopGroup, configuration: http)
  }

  /// Closes all connections; what is under way fails. Call once, at the end.
  public func shutdown() async throws {
    try await http.shutdown()
  }
}
