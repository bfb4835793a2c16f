import Crypto
import Logging
import NIOCore
import NIOHTTP1
import UploadCore

/// Answers GET and HEAD of an upload, and the POST of its download page.
struct DownloadService: Sendable {
  let store: any BlobStore
  let catalog: any UploadCatalog
  let ledger: any DownloadLedger
  /// Salt of the client hashes.
  let salt: [UInt8]
  let leaseSeconds: Int64
  let now: @Sendable () -> Timestamp
  let logger: Logger

  /// One request for an upload.
  struct Query {
    var id: UploadID
    /// The last segment of the URL when it names the file to save as.
    var request: HTTPRequest
    /// The client's address; nil when it is not known for certain.
    var client: ClientAddress?
    /// Looking at a counted upload must not spend it; the page's button does.
    var spends: Bool
  }

  /// - Throws: `Failure` for everything that has no bytes to answer with.
  func respond(_ query: Query, _ writer: ResponseWriter) async throws {
    let now = now()
    guard query.id.expiresAt > now else { throw Failure.expired }
    guard let entry = try await catalog.entry(query.id, exact: query.request.method == .HEAD) else {
      throw Failure.unknownUpload
    }
    let record = entry.record
    let request = query.request
    switch entry.state {
    case .deleted: throw Failure.deleted
    case .blocked: throw Failure.blocked
    case .consumed where !Self.mayResume(request): throw Failure.consumed(record)
    default: break
    }
    // The descriptor first: a blob that is deleted from now on is still delivered whole.
    guard let reader = try await store.open(query.id) else {
      if entry.state == .consumed { throw Failure.consumed(record) }
      logger.error("the index has an upload without bytes", metadata: ["id": "\(query.id.shortened)"])
      throw Failure.unknownUpload
    }
    guard reader.size == record.size else {
      logger.error("the bytes of an upload have the wrong size", metadata: ["id": "\(query.id.shortened)"])
      throw Failure(.internalServerError, code: "damaged", "the stored file is damaged and was not delivered")
    }
    var headers = DownloadHeaders.make(record)
    let etag = DownloadHeaders.etag(record)
    // The page's button asks for the bytes, whatever a browser has kept (RFC 9110, 13.1.3: 304 is for GET and HEAD).
    let mayBeKnown = [.GET, .HEAD].contains(request.method)
    switch Preconditions.evaluate(
      ifMatch: request.field("if-match"), ifNoneMatch: mayBeKnown ? request.field("if-none-match") : nil,
      ifModifiedSince: mayBeKnown ? request.field("if-modified-since") : nil,
      ifUnmodifiedSince: request.field("if-unmodified-since"),
      etag: etag, lastModified: record.createdAt)
    {
    case .proceed: break
    case .notModified:
      headers.remove(name: "content-type")
      return try await writer.send(.notModified, headers)
    case .failed:
      throw Failure(.preconditionFailed, code: "precondition-failed", "the file is not the one that the request names")
    }
    let ranges = try self.ranges(request, record, etag)
    if record.isCounted {
      try await respondCounted(query, entry, reader, ranges, &headers, writer)
    } else {
      try await deadline(of: record.id).run(cutting: writer) {
        try await send(reader, ranges, headers, writer, request)
      }
    }
  }

  private func deadline(of id: UploadID) -> TransferDeadline {
    TransferDeadline(id: id, catalog: catalog, now: self.now)
  }

  // MARK: Counted

  private func respondCounted(
    _ query: Query, _ entry: UploadEntry, _ reader: any BlobReader, _ ranges: [ClosedRange<Int64>]?,
    _ headers: inout HTTPHeaders, _ writer: ResponseWriter
  ) async throws {
    let record = entry.record
    guard let limit = record.maxDownloads, let availability = entry.availability(now: now()) else { return }
    // Behind nginx an abort is seen only without its buffers; the others keep them, they cost half.
    headers.add(name: "x-accel-buffering", value: "no")
    // Whatever spends a download is saved, by every browser: one that shows or plays a file asks for it a second time.
    headers.replaceOrAdd(name: "content-disposition", value: DownloadHeaders.attachment(record))
    if query.request.method == .HEAD {
      guard availability != .consumed else { throw Failure.consumed(record) }
      headers.add(name: "x-remaining-downloads", value: String(availability.remaining))
      return try await send(reader, ranges, headers, writer, query.request)
    }
    if !query.spends {
      if Visitor(query.request).looks { return try await sendPage(entry, query, writer) }
      if Visitor.isPrefetch(query.request) { throw Failure.prefetch }
    }
    // Several ranges of a counted download are answered with the whole file (RFC 9110, 14.2: a server may ignore Range).
    let range = ranges?.count == 1 ? ranges?.first : nil
    let wanted = range.map { $0.lowerBound..<($0.upperBound + 1) } ?? 0..<record.size
    let request = DeliveryRequest(size: record.size, range: range, client: clientHash(query))
    let fitsLastChunk = wanted.upperBound == record.size && wanted.count <= Int(DeliveryStateMachine.maximumLastChunk)
    // A body that is spent in one step is read before: neither a read error nor a client that has left may spend it.
    let small = fitsLastChunk ? try await read(wanted, of: reader, writer) : nil
    guard writer.isConnected else { throw ConnectionClosed() }
    let decision =
      fitsLastChunk
      ? try await ledger.beginAndConsume(record, request, now: now())
      : try await ledger.begin(record, request, now: now())
    var left = availability.remaining
    if limit.count > 1, let entry = try await catalog.entry(query.id, exact: false) {
      left = entry.availability(now: now())?.remaining ?? 0
    }
    switch decision {
    case .gone: throw Failure.consumed(record)
    case .locked(let retryAfter): throw Failure.locked(record, retryAfter: retryAfter)
    case .part(let slot, _), .resumeConsumed(let slot, _):
      headers.add(name: "x-remaining-downloads", value: String(left))
      var holder = SlotHolder(id: record.id, size: record.size, slot: slot.number, nonce: 0, client: request.client)
      holder.isUsedUp = slot.isExhausted(size: record.size)
      try await deadline(of: record.id).run(cutting: writer) {
        try await sendPiece(holder, wanted, reader, headers, record, writer, range)
      }
    case .lease(let slot, _):
      // A download in one step is among the consumed ones already.
      let after = limit.count == 1 ? 0 : fitsLastChunk ? left : max(0, left - 1)
      headers.add(name: "x-remaining-downloads", value: String(after))
      if let small {
        if let range { headers.add(name: "content-range", value: ByteRange(range, size: record.size).contentRange) }
        return try await writer.send(range == nil ? .ok : .partialContent, headers, body: small)
      }
      guard let nonce = slot.lease?.nonce else { throw Failure.internalError }
      var holder = SlotHolder(
        id: record.id, size: record.size, slot: slot.number, nonce: nonce, client: request.client)
      holder.isPiece = request.isPiece
      do {
        guard try await reader.prepare(wanted) else { throw Failure.vanished }
      } catch {
        try await ledger.release(holder, bytesSent: 0, now: now())
        throw error
      }
      try start(wanted, range, record, headers, writer)
      let delivery = CountedDelivery(
        holder: holder, ledger: ledger, leaseSeconds: leaseSeconds, now: now, logger: logger)
      try await deadline(of: record.id).run(cutting: writer) {
        if try await delivery.send(wanted, of: reader, to: writer) == .cutOff { throw ConnectionClosed() }
      }
    }
  }

  /// A range that does not reach the end, or that continues what is spent: it completes no download, so it takes no slot,
  /// but its bytes count against the slot's budget.
  private func sendPiece(
    _ holder: SlotHolder, _ wanted: Range<Int64>, _ reader: any BlobReader, _ headers: HTTPHeaders,
    _ record: UploadRecord, _ writer: ResponseWriter, _ range: ClosedRange<Int64>?
  ) async throws {
    var sent: Int64 = 0
    let outcome: Result<Void, any Error>
    do {
      guard try await reader.prepare(wanted) else { throw Failure.vanished }
      try start(wanted, range, record, headers, writer)
      try await BlobSender.send(wanted, of: reader, to: writer) { sent += $0 }
      try await writer.finish()
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await ledger.endPiece(holder, charged: Int64(wanted.count), sent: sent, now: now())
    try outcome.get()
  }

  /// What is told to people has to be right on every node.
  private func sendPage(_ entry: UploadEntry, _ query: Query, _ writer: ResponseWriter) async throws {
    let exact = try await catalog.entry(query.id, exact: true) ?? entry
    switch exact.state {
    case .deleted: throw Failure.deleted
    case .blocked: throw Failure.blocked
    default: break
    }
    guard let availability = exact.availability(now: now()), availability != .consumed else {
      throw Failure.consumed(entry.record)
    }
    try await writer.sendPage(Page.download(entry.record, availability, action: query.request.path))
  }

  /// Addresses are kept only as salted hashes: enough to know a client again, no more.
  private func clientHash(_ query: Query) -> [UInt8]? {
    guard let client = query.client else { return nil }
    var hash = SHA256()
    hash.update(data: salt)
    hash.update(data: Array(query.id.description.utf8))
    hash.update(data: Array(client.text.utf8))
    return Array(hash.finalize().prefix(16))
  }

  /// Only a range can be a piece that a client lacks of a download that has been consumed.
  private static func mayResume(_ request: HTTPRequest) -> Bool {
    request.method == .GET && request.headers.contains(name: "range")
  }

  // MARK: Bytes

  /// Nil: the whole file.
  private func ranges(_ request: HTTPRequest, _ record: UploadRecord, _ etag: String) throws -> [ClosedRange<Int64>]? {
    guard request.method == .GET, let header = request.field("range"),
      Preconditions.rangeApplies(ifRange: request.field("if-range"), etag: etag, lastModified: record.createdAt)
    else { return nil }
    switch RangeRequest.parse(header, size: record.size) {
    case .whole: return nil
    case .partial(let ranges): return ranges
    case .unsatisfiable:
      var failure = Failure(
        .rangeNotSatisfiable, code: "range-not-satisfiable",
        "the file has \(record.size) bytes: the range begins after its end")
      failure.fields = [.init(name: "content-range", value: ByteRange.unsatisfied(size: record.size))]
      throw failure
    }
  }

  private func start(
    _ wanted: Range<Int64>, _ range: ClosedRange<Int64>?, _ record: UploadRecord, _ headers: HTTPHeaders,
    _ writer: ResponseWriter
  ) throws {
    var headers = headers
    if let range { headers.add(name: "content-range", value: ByteRange(range, size: record.size).contentRange) }
    try writer.start(range == nil ? .ok : .partialContent, headers, length: Int64(wanted.count))
  }

  /// A small range, in memory.
  private func read(_ range: Range<Int64>, of reader: any BlobReader, _ writer: ResponseWriter) async throws
    -> ByteBuffer
  {
    guard try await reader.prepare(range) else { throw Failure.vanished }
    var bytes = ByteBuffer()
    try await reader.read(range, allocator: writer.allocator) { bytes.writeImmutableBuffer($0) }
    return bytes
  }

  /// Sends without counting.
  private func send(
    _ reader: any BlobReader, _ ranges: [ClosedRange<Int64>]?, _ headers: HTTPHeaders, _ writer: ResponseWriter,
    _ request: HTTPRequest
  ) async throws {
    if let ranges, ranges.count > 1 {
      return try await MultipleRanges(ranges: ranges, size: reader.size).send(reader, headers, writer)
    }
    let range = ranges?.first
    let wanted = range.map { $0.lowerBound..<($0.upperBound + 1) } ?? 0..<reader.size
    var headers = headers
    if let range { headers.add(name: "content-range", value: ByteRange(range, size: reader.size).contentRange) }
    let status: HTTPResponseStatus = range == nil ? .ok : .partialContent
    if wanted.count <= Int(BlobSender.copySize), request.method != .HEAD {
      return try await writer.send(status, headers, body: try await read(wanted, of: reader, writer))
    }
    if request.method != .HEAD, !(try await reader.prepare(wanted)) { throw Failure.vanished }
    try writer.start(status, headers, length: Int64(wanted.count))
    if request.method != .HEAD { try await BlobSender.send(wanted, of: reader, to: writer) }
    try await writer.finish()
  }
}

extension HTTPRequest {
  /// All values of a list field as one; nil when there is none.
  func field(_ name: String) -> String? {
    let values = headers[name]
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }
}
