import NIOCore
import NIOHTTP1
import UploadCore

/// Everything that is about the service or about an upload, and not its bytes.
struct StatusRoutes: Sendable {
  let configuration: ServerConfiguration
  let storage: Storage
  let now: @Sendable () -> Timestamp

  /// The page for browsers, the usage text for everybody else.
  func home(_ request: HTTPRequest, _ origin: ClientOrigin, _ writer: ResponseWriter) async throws {
    let base = origin.publicURL?.description ?? ""
    if AnswerFormat(request.headers) == .html {
      return try await writer.sendPage(Page.home(origin: base, policy: configuration.policy))
    }
    try await writer.sendText(
      Usage.text(
        origin: base, policy: configuration.policy, shortURL: configuration.shortURLService != nil,
        password: configuration.password != nil))
  }

  /// 200 when the store, the index and the disk are usable, so that a proxy sends clients here.
  func readiness(_ writer: ResponseWriter) async throws {
    do {
      try await storage.store.check()
      try await storage.catalog.check()
      if let free = try storage.store.freeSpace(), free < configuration.minimumFreeSpace.bytes {
        throw Failure(
          .serviceUnavailable, code: "no-space",
          "not ready: \(ByteCount(free)) of disk are free, less than MIN_FREE_SPACE \(configuration.minimumFreeSpace)",
          retryAfter: 10)
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      var failure = Failure(
        .serviceUnavailable, code: "not-ready", "not ready: the store or the index does not work", retryAfter: 10)
      failure.cause = Failure.cause(error)
      throw failure
    }
    try await writer.sendText("ready\n")
  }

  /// As bashupload-r2 answers it.
  private struct PublicConfiguration: Encodable {
    var maxAgeForMultiDownload: Int64
    var maxUploadSize: Int64
    var maxAge: Int64
    var needPassword: Bool
  }

  func configuration(_ writer: ResponseWriter) async throws {
    let policy = configuration.policy
    try await writer.sendJSON(
      PublicConfiguration(
        maxAgeForMultiDownload: policy.maxAgeForMultidownload, maxUploadSize: policy.maxUploadSize.bytes,
        maxAge: policy.maxAge, needPassword: configuration.password != nil),
      extra: ["access-control-allow-origin": "*"])
  }

  private struct UploadStatus: Encodable {
    var id: String
    var name: String?
    var size: Int64
    var contentType: String
    var sha256: String
    var createdAt: String
    var expiresAt: String
    var maxDownloads: Int?
    var oneTime: Bool
    var remainingDownloads: Int?
    var state: String
  }

  /// Spends nothing.
  func uploadState(_ id: UploadID, _ writer: ResponseWriter) async throws {
    let now = now()
    guard let entry = try await storage.catalog.entry(id, exact: true) else {
      throw id.expiresAt > now ? Failure.unknownUpload : Failure.expired
    }
    let record = entry.record
    let availability = entry.availability(now: now)
    let state = id.expiresAt <= now ? .expired : availability?.state ?? entry.state
    try await writer.sendJSON(
      UploadStatus(
        id: id.description, name: record.name?.value, size: record.size, contentType: record.contentType,
        sha256: Hex.encode(record.sha256), createdAt: record.createdAt.rfc3339, expiresAt: record.expiresAt.rfc3339,
        maxDownloads: record.maxDownloads?.count, oneTime: record.isOneTime,
        remainingDownloads: record.maxDownloads.map { _ in state == .expired ? 0 : availability?.remaining ?? 0 },
        state: state.rawValue))
  }

  /// `DELETE /<id>` with the token that the upload's answer carried. The bytes go at once.
  func delete(_ id: UploadID, _ request: HTTPRequest, _ writer: ResponseWriter) async throws {
    let now = now()
    guard id.expiresAt > now else { throw Failure.expired }
    guard let entry = try await storage.catalog.entry(id, exact: true) else { throw Failure.unknownUpload }
    let ended = entry.state == .deleted ? Failure.deleted : Failure.consumed(entry.record)
    // Of an upload whose bytes have gone not everywhere more is known than that.
    if entry.state != .available, entry.record.deleteTokenHash.isEmpty { throw ended }
    let token = request.headers.first(name: "x-delete-token") ?? ""
    guard DeleteToken.matches(token, hash: entry.record.deleteTokenHash) else { throw Failure.wrongToken }
    guard try await storage.catalog.markDeleted(id, now: now) else { throw ended }
    do {
      try await storage.store.delete(id)
      try? await storage.catalog.markGone([id])
    } catch {
      // The bytes are due, and cleanup will remove them. Who is told 204 must not find the file anywhere before.
      guard storage.catalog.isMarkFinal else { throw Failure.notRemoved }
    }
    try await writer.send(.noContent, [:])
  }
}
