import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// Accepts connections on one address until it is told to stop, then lets the requests in progress finish.
struct HTTPServer: Service {
  let host: String
  let port: Int
  let limits: ConnectionLimits
  /// Connections at one time; further ones are answered 503 and closed.
  let maximumConnections: Int
  let certificate: ServerCertificate?
  let eventLoopGroup: any EventLoopGroup
  let logger: Logger
  /// Told the address once connections are accepted.
  let onListening: @Sendable (SocketAddress) -> Void
  let handler: HTTPConnection.Handler

  /// Read at most this much from a socket at once: big enough for throughput, small enough for hundreds of uploads.
  static let receiveBufferSize = 128 * 1024

  func run() async throws {
    let registry = ConnectionRegistry()
    let server = try await bind()
    if let address = server.channel.localAddress { onListening(address) }
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await withThrowingDiscardingTaskGroup { group in
        try await server.executeThenClose { accepted in
          for try await connection in accepted {
            let executor = EventLoopTaskExecutor(connection.asyncChannel.channel.eventLoop)
            group.addTask(executorPreference: executor) {
              await serve(connection, registry)
            }
          }
        }
      }
    } onCancelOrGracefulShutdown: {
      server.channel.close(promise: nil)
      registry.drain()
    }
  }

  private func serve(_ connection: HTTPConnection, _ registry: ConnectionRegistry) async {
    guard registry.add(connection) <= maximumConnections else {
      registry.remove(connection)
      await connection.refuse(
        Failure(
          .serviceUnavailable, code: "too-many-connections",
          "all \(maximumConnections) connections are in use: try again in a moment", retryAfter: 5))
      return
    }
    await connection.run(handler)
    registry.remove(connection)
  }

  private func bind() async throws -> NIOAsyncChannel<HTTPConnection, Never> {
    try await ServerBootstrap(group: eventLoopGroup)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.receiveBufferSize))
      .bind(host: host, port: port) { channel in
        channel.eventLoop.makeCompletedFuture { try configure(channel) }
      }
  }

  private func configure(_ channel: any Channel) throws -> HTTPConnection {
    let pipeline = channel.pipeline.syncOperations
    let watch = ConnectionWatch(limits: limits)
    try pipeline.addHandler(watch)
    if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
    var decoder = NIOHTTPDecoderLimitConfiguration()
    decoder.maxHeaderFieldSize = limits.maximumHeaderSize
    decoder.maxHeaderListSize = limits.maximumHeaderSize
    decoder.maxHeaderFieldCount = limits.maximumHeaderCount
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withServerUpgrade: nil, withErrorHandling: false,
      withOutboundHeaderValidation: true, withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoder)
    let asyncChannel = try NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>(
      wrappingChannelSynchronously: channel,
      configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
    return HTTPConnection(
      asyncChannel: asyncChannel, watch: NIOLoopBound(watch, eventLoop: channel.eventLoop),
      isSecure: certificate != nil, limits: limits, logger: logger)
  }
}

/// The connections that are open, so that a shutdown can reach them.
private final class ConnectionRegistry: Sendable {
  private let connections = Mutex<[ObjectIdentifier: HTTPConnection]>([:])

  func add(_ connection: HTTPConnection) -> Int {
    connections.withLock {
      $0[ObjectIdentifier(connection.asyncChannel.channel)] = connection
      return $0.count
    }
  }

  func remove(_ connection: HTTPConnection) {
    connections.withLock { $0[ObjectIdentifier(connection.asyncChannel.channel)] = nil }
  }

  func drain() {
    for connection in connections.withLock({ Array($0.values) }) {
      let channel = connection.asyncChannel.channel
      channel.eventLoop.execute { connection.watch.value.drain(channel) }
    }
  }
}
