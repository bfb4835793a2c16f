import Logging
import NIOCore
import NIOHTTP1
import UploadCore

/// Takes every request: who is it, may they, which route, what came of it. One line in the log for each.
struct RequestHandler: Sendable {
  let configuration: ServerConfiguration
  let uploads: UploadRoutes
  let downloads: DownloadService
  let legacy: LegacyObjects?
  let status: StatusRoutes
  let clients: ClientLimits
  let unknownClients: UnknownClientWarning
  let misses: MissLimits
  let metrics: RequestMetrics
  let log: RequestLog
  let logger: Logger
  let now: @Sendable () -> Timestamp

  func handle(_ request: HTTPRequest, _ body: RequestBody, _ writer: ResponseWriter) async {
    let start = NIODeadline.now()
    var origin = ClientOrigin(
      request, publicURL: configuration.publicURL, proxies: configuration.trustedProxies)
    if origin.publicURL == nil {
      // HTTP/1.0 without Host: a URL that may work is better than half of one.
      origin.publicURL = PublicURL(
        scheme: request.isSecure ? "https" : "http", authority: "\(configuration.host):\(configuration.port)")
    }
    var route = Route(request)
    // No button of a page, where there are no objects of older programs: an empty file with a name.
    if legacy == nil, case .legacy(let key, spends: true) = route { route = .post(path: "/" + key) }
    // Probes of a proxy and of a cluster come from nobody, and nothing depends on who it is.
    if let doubt = origin.doubt, route.isGuarded { unknownClients.note(doubt, logger) }
    var failure: Failure?
    var cause: String?
    do {
      try misses.check(origin.limited, route, now: now())
      let permit = try clients.admit(origin.limited, isUpload: route.isUpload, now: now())
      defer { permit?.end() }
      if route.isGuarded, let password = configuration.password, !Credentials.allow(request, password) {
        throw Failure.passwordNeeded
      }
      try await respond(&route, request, origin, body, writer)
    } catch {
      failure = Failure(answering: error)
      cause = Failure.cause(error)
      if failure == .internalError { logger.error("unexpected error", metadata: ["error": "\(error)"]) }
      if failure?.status == .notFound { misses.note(origin.limited, route, now: now()) }
      await answer(failure, body, writer, request)
    }
    let duration = NIODeadline.now() - start
    metrics.record(route, request, body, writer, duration)
    log.write(route, request, origin, body, writer, failure, cause, duration)
  }

  private func respond(
    _ route: inout Route, _ request: HTTPRequest, _ origin: ClientOrigin, _ body: RequestBody, _ writer: ResponseWriter
  ) async throws {
    func charge() throws { try clients.charge(origin.limited, now: now()) }
    switch route {
    case .home: try await status.home(request, origin, writer)
    case .health: try await writer.sendText("ok\n")
    case .readiness: try await status.readiness(writer)
    case .configuration: try await status.configuration(writer)
    case .uploadState(let id): try await status.uploadState(id, writer)
    case .put(let path, let short):
      try await uploads.put(path: path, short: short, request, origin, body, writer, charge)
    case .post(let path): try await uploads.post(path: path, request, origin, body, writer, charge)
    case .download(let id, let spends):
      if spends { while try await body.next() != nil {} }
      let query = DownloadService.Query(id: id, request: request, client: origin.client, spends: spends)
      try await downloads.respond(query, writer)
    case .legacy(let key, let spends):
      guard let id = try await legacy?.id(ofKey: key) else {
        // No button of a page, then, but an empty file with a name.
        guard spends else { throw Failure.notFound }
        route = .post(path: "/" + key)
        try clients.admitUpload(origin.limited, now: now())
        return try await uploads.post(path: "/" + key, request, origin, body, writer, charge)
      }
      if spends { while try await body.next() != nil {} }
      let query = DownloadService.Query(id: id, request: request, client: origin.client, spends: spends)
      try await downloads.respond(query, writer)
    case .delete(let id): try await status.delete(id, request, writer)
    case .options:
      try await writer.send(.noContent, ["allow": "GET, HEAD, PUT, POST, DELETE, OPTIONS"])
    case .unknown: throw Failure.notFound
    case .methodNotAllowed(let allowed): throw Failure.methodNotAllowed(allowed)
    }
  }

  /// A response that has begun can only be cut off; that the length does not match tells the client.
  private func answer(_ failure: Failure?, _ body: RequestBody, _ writer: ResponseWriter, _ request: HTTPRequest) async
  {
    guard let failure, writer.status == nil else {
      writer.keepsAlive = false
      writer.abort()
      return
    }
    // Without the body the connection cannot carry another request: what follows would be taken for one.
    if !body.isFinished, request.hasBody { writer.keepsAlive = false }
    try? await writer.send(failure, as: AnswerFormat(request.headers))
  }
}
