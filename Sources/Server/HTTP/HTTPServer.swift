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
  /// Connections of one address at one time (429 above); nil = any. Proxies that we trust carry many clients.
  var maximumConnectionsPerAddress: Int?
  var trustedProxies = TrustedProxies.unset
  let certificate: ServerCertificate?
  let eventLoopGroup: any EventLoopGroup
  let logger: Logger
  /// Told the address once connections are accepted.
  let onListening: @Sendable (SocketAddress) -> Void
  let handler: HTTPConnection.Handler
  private let openConnections = ReceiveBuffers.Count()
  /// A quarter of the places is the most that refused clients have.
  private var lingerSlots: LingerSlots { LingerSlots(maximumConnections / 4) }

  func run() async throws {
    let registry = ConnectionRegistry(count: openConnections)
    let lingering = lingerSlots
    let server = try await bind()
    if let address = server.channel.localAddress { onListening(address) }
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await withThrowingDiscardingTaskGroup { group in
        try await server.executeThenClose { accepted in
          for try await connection in accepted {
            group.addTask(executorPreference: EventLoopTaskExecutor(connection.channel.eventLoop)) {
              await serve(connection, registry, lingering)
            }
          }
        }
      }
    } onCancelOrGracefulShutdown: {
      server.channel.close(promise: nil)
      registry.drain()
    }
  }

  private func serve(_ accepted: AcceptedConnection, _ registry: ConnectionRegistry, _ lingering: LingerSlots) async {
    guard let connection = try? await open(accepted, lingering) else { return }
    let open = registry.add(connection)
    defer { registry.remove(connection) }
    if open.all > 2 * maximumConnections {
      // Not even an answer: those up to twice the limit get one.
      await connection.close()
    } else if let refusal = refusal(open, connection.peer) {
      // No slot of lingering for who is too much already.
      let refused = connection.withoutLingering
      await refused.run { _, _, writer in
        writer.keepsAlive = false
        try? await writer.send(refusal, as: .text)
      }
    } else {
      await connection.run(handler)
    }
  }

  private func refusal(_ open: (all: Int, ofAddress: Int), _ address: String) -> Failure? {
    if open.all > maximumConnections {
      return Failure(
        .serviceUnavailable, code: "too-many-connections",
        "all \(maximumConnections) connections are in use: try again in a moment", retryAfter: 5)
    }
    if let limit = maximumConnectionsPerAddress, open.ofAddress > limit,
      !trustedProxies.contain(address)
    {
      return Failure(
        .tooManyRequests, code: "too-many-connections",
        "your address has \(open.ofAddress) connections; the limit is \(limit): close one", retryAfter: 5)
    }
    return nil
  }

  private func bind() async throws -> NIOAsyncChannel<AcceptedConnection, Never> {
    try await ServerBootstrap(group: eventLoopGroup)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.recvAllocator, value: ReceiveBuffers(connections: openConnections))
      .bind(host: host, port: port) { channel in
        channel.eventLoop.makeCompletedFuture { try configure(channel) }
      }
  }

  /// Gives an accepted connection its way into async code, and begins to read.
  ///
  /// Not before its task is running: a connection that is accepted in the instant in which the server stops is handed to
  /// nobody, and a `NIOAsyncChannel` that nobody takes ends the process.
  private func open(_ accepted: AcceptedConnection, _ lingering: LingerSlots) async throws -> HTTPConnection {
    let channel = accepted.channel
    let asyncChannel = try await channel.eventLoop.submit {
      // One that has closed meanwhile would never tell.
      guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
      return try NIOAsyncChannel<[HTTPServerRequestPart], ByteBuffer>(
        wrappingChannelSynchronously: channel,
        configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
    }.get()
    // Fails when the client has gone already: reading will tell.
    try? await channel.setOption(.autoRead, value: true).get()
    return HTTPConnection(
      asyncChannel: asyncChannel, watch: accepted.watch, peer: channel.remoteAddress?.ipAddress ?? "",
      isSecure: certificate != nil, limits: limits, lingering: lingering, logger: logger)
  }

  private func configure(_ channel: any Channel) throws -> AcceptedConnection {
    let pipeline = channel.pipeline.syncOperations
    let watch = ConnectionWatch(limits: limits)
    try pipeline.addHandler(watch)
    if let certificate {
      watch.awaitHandshake()
      try pipeline.addHandlers([NIOSSLServerHandler(context: certificate.context), HandshakeNotice(watch)])
    }
    var limitConfiguration = NIOHTTPDecoderLimitConfiguration()
    limitConfiguration.maxHeaderFieldSize = limits.maximumHeaderSize
    limitConfiguration.maxHeaderListSize = limits.maximumHeaderSize
    limitConfiguration.maxHeaderFieldCount = limits.maximumHeaderCount
    // No encoder: `ResponseWriter` writes bytes.
    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limitConfiguration)
    // The decoder leaves nothing unread, but behind a request that wants another protocol it reads nothing more at all.
    try pipeline.addHandlers([
      ByteToMessageHandler(decoder, maximumBufferSize: limits.maximumHeaderSize), RequestPartBatcher(),
    ])
    return AcceptedConnection(channel: channel, watch: NIOLoopBound(watch, eventLoop: channel.eventLoop))
  }
}

/// A connection whose pipeline is ready and which is not read from yet.
private struct AcceptedConnection: Sendable {
  let channel: any Channel
  let watch: NIOLoopBound<ConnectionWatch>
}

/// The connections that are open, so that a shutdown can reach them.
private final class ConnectionRegistry: Sendable {
  private struct Open {
    var connections: [ObjectIdentifier: HTTPConnection] = [:]
    /// By what counts as one client.
    var byAddress: [[UInt8]: Int] = [:]
    var isDraining = false
  }

  private let open = Mutex(Open())
  private let count: ReceiveBuffers.Count

  init(count: ReceiveBuffers.Count) {
    self.count = count
  }

  /// - Returns: how many are open now, this one included.
  func add(_ connection: HTTPConnection) -> (all: Int, ofAddress: Int) {
    open.withLock { open in
      open.connections[ObjectIdentifier(connection.asyncChannel.channel)] = connection
      let ofAddress = (open.byAddress[connection.network] ?? 0) + 1
      open.byAddress[connection.network] = ofAddress
      count.current = open.connections.count
      // Accepted just before the end: its first request is its last.
      if open.isDraining { drain(connection) }
      return (open.connections.count, ofAddress)
    }
  }

  func remove(_ connection: HTTPConnection) {
    open.withLock { open in
      open.connections[ObjectIdentifier(connection.asyncChannel.channel)] = nil
      let ofAddress = (open.byAddress[connection.network] ?? 1) - 1
      open.byAddress[connection.network] = ofAddress == 0 ? nil : ofAddress
      count.current = open.connections.count
    }
  }

  func drain() {
    let connections = open.withLock { open in
      open.isDraining = true
      return Array(open.connections.values)
    }
    for connection in connections { drain(connection) }
  }

  private func drain(_ connection: HTTPConnection) {
    let channel = connection.asyncChannel.channel
    channel.eventLoop.execute { connection.watch.value.drain(channel) }
  }
}
