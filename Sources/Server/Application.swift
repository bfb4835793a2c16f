import AsyncHTTPClient
import CoreMetrics
import Glibc
import Logging
import Metrics
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals
import UploadCore

/// The service put together: the one place where configuration, store, index, routes and timers are joined.
package struct Application {
  private let configuration: ServerConfiguration
  private let logger: Logger
  private let metrics: PrometheusMetrics
  private let clock: @Sendable () -> Timestamp

  package init(
    _ configuration: ServerConfiguration, logger: Logger, metrics: PrometheusMetrics,
    clock: @escaping @Sendable () -> Timestamp = { Timestamp.systemNow() }
  ) {
    self.configuration = configuration
    self.logger = logger
    self.metrics = metrics
    self.clock = clock
  }

  /// Serves until a signal ends it: the first lets transfers finish for `SHUTDOWN_GRACE`, the second does not.
  ///
  /// - Throws: `StartFailure` with one line when the service cannot start.
  package func run() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    let client = HTTPClient(eventLoopGroupProvider: .shared(group))
    let outcome: Result<Void, any Error>
    do {
      try await serve(group, pool, client)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try? await client.shutdown()
    try? await pool.shutdownGracefully()
    try? await group.shutdownGracefully()
    try outcome.get()
  }

  /// A connection and its file take a descriptor each; the usual soft limit of 1,024 is below `MAX_CONNECTIONS`.
  private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private func serve(_ group: MultiThreadedEventLoopGroup, _ pool: NIOThreadPool, _ client: HTTPClient) async throws {
    raiseDescriptorLimit()
    let lock = try DataDirectoryLock(configuration.dataDirectory)
    let asked = StoreMetrics(factory: metrics)
    let storage = try await Storage.open(
      configuration, pool: pool, eventLoopGroup: group, logger: logger, clock: clock,
      observe: { asked.record($0) })
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await serve(storage, group, client))
    } catch {
      outcome = .failure(error)
    }
    await storage.close()
    withExtendedLifetime(lock) {}
    try outcome.get()
  }

  private func serve(_ storage: Storage, _ group: MultiThreadedEventLoopGroup, _ client: HTTPClient) async throws {
    let certificate = try configuration.tlsFiles.map { files in
      do {
        return try ServerCertificate(certificateFile: files.certificate, keyFile: files.key, logger: logger)
      } catch {
        throw StartFailure("TLS_CERT_FILE \(files.certificate) and TLS_KEY_FILE \(files.key) cannot be used: \(error)")
      }
    }
    try await storage.prove(configuration)
    // Before anybody is served: what a crash has cut off.
    let repaired = try await storage.cleaner.recover()
    if repaired > 0 { logger.notice("repaired after a crash", metadata: ["uploads": "\(repaired)"]) }
    let handler = requestHandler(storage, client)
    let server = HTTPServer(
      host: configuration.host, port: configuration.port, limits: configuration.connection,
      maximumConnections: configuration.maximumConnections,
      maximumConnectionsPerAddress: configuration.maximumRequestsPerClient,
      trustedProxies: configuration.trustedProxies, certificate: certificate, eventLoopGroup: group,
      logger: logger,
      onListening: { [logger] in
        logger.info("listening", metadata: ["address": "\($0.ipAddress ?? ""):\($0.port ?? 0)"])
      },
      handler: { await handler.handle($0, $1, $2) })
    // They are stopped in reverse order, one after the other: the server first.
    var services: [any Service] = []
    if let certificate { services.append(certificate) }
    if configuration.metricsPort != 0 { services.append(metricsServer(group)) }
    // What a node of a bucket owes stands in its own journal: no cleanup elsewhere knows of it.
    if configuration.cleansUp || configuration.bucket != nil {
      services.append(
        CleanupService(
          cleaner: storage.cleaner, isElsewhere: !configuration.cleansUp, interval: configuration.cleanupInterval,
          now: clock, logger: logger))
    }
    services.append(server)
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    var groupConfiguration = ServiceGroupConfiguration(
      services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
      gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    groupConfiguration.maximumGracefulShutdownDuration = .seconds(configuration.shutdownGrace)
    let running = ServiceGroup(configuration: groupConfiguration)
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { await SignalWatch(logger: logger).run() }
        try await running.run()
        tasks.cancelAll()
      }
    } catch is CancellationError {
      // The grace was over with transfers in progress.
    } catch let error as IOError {
      throw StartFailure(
        "cannot listen on HOST \(configuration.host) PORT \(configuration.port): \(String(cString: strerror(error.errnoCode))); is another server running?"
      )
    } catch let error as SocketAddressError.UnknownHost {
      throw StartFailure("HOST \(configuration.host) is no address of this machine: \(error)")
    }
    logger.info("stopped")
  }

  private func requestHandler(_ storage: Storage, _ client: HTTPClient) -> RequestHandler {
    let index = storage.index
    let space = SpaceKeeper(
      minimumFree: configuration.minimumFreeSpace, quota: configuration.storageQuota, store: storage.store,
      storedBytes: { try await index.storedBytes() })
    let uploads = UploadService(
      policy: configuration.policy, store: storage.store, catalog: storage.catalog, space: space, now: clock,
      logger: logger)
    let downloads = DownloadService(
      store: storage.store, catalog: storage.catalog, ledger: storage.ledger, salt: storage.clientSalt,
      leaseSeconds: configuration.leaseSeconds, now: clock, logger: logger)
    let shortURL = configuration.shortURLService.map { ShortURLClient(service: $0, client: client, logger: logger) }
    return RequestHandler(
      configuration: configuration, uploads: UploadRoutes(service: uploads, shortURL: shortURL), downloads: downloads,
      legacy: storage.legacy, status: StatusRoutes(configuration: configuration, storage: storage, now: clock),
      clients: ClientLimits(
        requests: configuration.maximumRequestsPerClient, uploadsPerMinute: configuration.uploadsPerMinute),
      unknownClients: UnknownClientWarning(), misses: MissLimits(isOn: configuration.bucket != nil),
      metrics: RequestMetrics(factory: metrics), log: configuration.log.requests, logger: logger, now: clock)
  }

  private func metricsServer(_ group: MultiThreadedEventLoopGroup) -> HTTPServer {
    let droppedLines = Meter(label: "bashupload_log_lines_dropped", dimensions: [], factory: metrics)
    return HTTPServer(
      host: configuration.metricsHost, port: configuration.metricsPort, limits: ConnectionLimits(),
      maximumConnections: 32,
      certificate: nil, eventLoopGroup: group, logger: logger, onListening: { _ in },
      handler: { [metrics] request, _, writer in
        if request.path == "/metrics" {
          droppedLines.set(LogOutput.dropped)
          try? await writer.sendText(metrics.text())
        } else {
          try? await writer.send(.notFound, as: .text)
        }
      })
  }
}

/// Why the service could not start, in one line.
package struct StartFailure: Error, CustomStringConvertible {
  package var description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// Ends the process at once with the second signal. That is safe by design: a crash loses nothing acknowledged.
private struct SignalWatch {
  let logger: Logger

  func run() async {
    var count = 0
    for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
      count += 1
      if count == 1 {
        logger.info("stopping", metadata: ["signal": "\(signal)"])
      } else {
        logger.warning("stopped at once by a second signal")
        LogOutput.flush(milliseconds: 500)
        _exit(1)
      }
    }
  }
}
