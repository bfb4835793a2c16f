import NIOCore
import NIOHTTP1
import UploadCore

/// PUT and POST: decodes the request, stores the bodies, encodes the answer.
struct UploadRoutes: Sendable {
  let service: UploadService
  let shortURL: ShortURLClient?
  let forms = FormFiles()
  /// Most files in one form.
  static let maximumFiles = 100
  /// Bytes of a form that are not of its files.
  private static let largestFraming: Int64 = 256 << 10

  /// Counts one more upload of the client; throws when it has had too many.
  typealias Charge = () throws -> Void

  /// `PUT /[name]`: the body is the file, or a form with files.
  func put(
    path: String, short: Bool, _ request: HTTPRequest, _ origin: ClientOrigin, _ body: RequestBody,
    _ writer: ResponseWriter, _ charge: Charge
  )
    async throws
  {
    guard request.contentLength != nil || request.isChunked else {
      throw Failure(.lengthRequired, code: "length-required", "the request has no Content-Length: use curl -T file")
    }
    if let type = try formType(request) {
      return try await storeForm(type, path, short: short, request, origin, body, writer, charge)
    }
    var upload = try uploadRequest(request)
    upload.name = try fileName(path)
    upload.contentType = request.headers.first(name: "content-type")
    let receipt = try await receive(upload, request, body)
    try await answer([receipt], short: short, request, origin, writer)
  }

  /// `POST /`: a form with files, or a raw body that is stored as text.
  func post(
    path: String, _ request: HTTPRequest, _ origin: ClientOrigin, _ body: RequestBody, _ writer: ResponseWriter,
    _ charge: Charge
  )
    async throws
  {
    guard request.contentLength != nil || request.isChunked else {
      throw Failure(
        .lengthRequired, code: "length-required",
        "the request has no body: use curl -F file=@name or --data-binary @name")
    }
    if let type = try formType(request) {
      return try await storeForm(type, path, short: false, request, origin, body, writer, charge)
    }
    let type = request.headers.first(name: "content-type") ?? ""
    var upload = try uploadRequest(request)
    upload.name = try fileName(path)
    // curl -d says "form", which it is not; what is posted without a name is text.
    upload.contentType = "text/plain; charset=utf-8"
    if upload.name != nil { upload.contentType = type.isEmpty ? nil : type }
    let receipt = try await receive(upload, request, body)
    try await answer([receipt], short: false, request, origin, writer)
  }

  private func receive(_ upload: UploadRequest, _ request: HTTPRequest, _ body: RequestBody) async throws
    -> UploadService.Receipt
  {
    let expected = try request.field("repr-digest").flatMap { try ReprDigest.parseSHA256($0) }
    return try await service.receive(upload, expectedDigest: expected) { try await body.next() }
  }

  // MARK: Forms

  /// The Content-Type when the body is a form. What a body is depends on that field alone, and not on the method.
  ///
  /// - Throws: 415 for parts in another way: stored as one file they would be no file of anybody's.
  private func formType(_ request: HTTPRequest) throws -> String? {
    guard let type = try single(request, ["content-type"]) else { return nil }
    let value = HeaderParameters(String(type.prefix { $0 != ";" })).value
    if value == "multipart/form-data" { return type }
    guard value.hasPrefix("multipart/") else { return nil }
    throw Failure(
      .unsupportedMediaType, code: "multipart",
      "a body of \(value.allSatisfy { $0.isASCII } ? value.prefix(64) : "multipart") is not understood: send multipart/form-data (curl -F file=@name), or the file as it is (curl -T name)"
    )
  }

  private func storeForm(
    _ type: String, _ path: String, short: Bool, _ request: HTTPRequest, _ origin: ClientOrigin, _ body: RequestBody,
    _ writer: ResponseWriter, _ charge: Charge
  ) async throws {
    let place = forms.begin(writer.abort)
    defer { forms.end(place) }
    let receipts = try await receiveForm(type, path, place, request, body, charge)
    try await answer(receipts, short: short, request, origin, writer)
  }

  /// Stores every part that has a file name or a type, in order. Fields of text, which have neither, are not stored. None is shown before the last is there: if one fails, the client
  /// is told of no URL, and none stays, not even after a crash.
  private func receiveForm(
    _ type: String, _ path: String, _ place: FormFiles.Place, _ request: HTTPRequest, _ body: RequestBody,
    _ charge: Charge
  ) async throws -> [UploadService.Receipt] {
    guard !request.headers.contains(name: "repr-digest") else {
      throw Failure(
        .badRequest, code: "bad-header",
        "Repr-Digest cannot be checked for a form: upload the file with curl -T instead")
    }
    let form = FormReader(parser: try MultipartParser(contentType: type), body: body)
    var template = try uploadRequest(request)
    // Refuse before the body what the whole form's length tells. (A part's own length is not known.)
    if let length = request.contentLength, length > service.policy.maxUploadSize.bytes * Int64(Self.maximumFiles) {
      throw UploadRejection.tooLarge(limit: service.policy.maxUploadSize, declared: length)
    }
    template.declaredSize = nil
    _ = try service.policy.lifetime(of: template)
    if let length = request.contentLength {
      // Given back at once: each file reserves its own. What the form itself takes is not known yet.
      try await service.space.reserve(max(0, length - Self.largestFraming)).release()
    }
    var staged: [UploadService.Staged] = []
    do {
      while let part = try await form.nextPart() {
        guard part.isFile else { continue }
        let rawName = part.fileName ?? ""
        // A form sent without choosing a file has one part with an empty name and no bytes.
        if rawName.isEmpty, try await form.isPartEmpty() { continue }
        guard staged.count < Self.maximumFiles else {
          throw Failure.badRequest(
            "too-many-files", "the form has more than \(Self.maximumFiles) files: send them in several requests")
        }
        // The request itself has been counted.
        if !staged.isEmpty { try charge() }
        try forms.add(to: place)
        var upload = template
        do throws(FileNameError) {
          // curl -X PUT -F file=<name names no file; the path may.
          let named = staged.isEmpty ? try? FileName.inPath(path) : nil
          upload.name = rawName.isEmpty ? named : try FileName(rawName)
        } catch {
          throw UploadRejection.fileName(error)
        }
        upload.contentType = part.contentType == "application/octet-stream" ? nil : part.contentType
        staged.append(try await service.stage(upload, expectedDigest: nil) { try await form.nextBytes() })
      }
    } catch {
      await service.drop(staged)
      throw error
    }
    guard !staged.isEmpty else {
      throw Failure(.badRequest, code: "no-file", "the form has no file: use curl -F file=@name")
    }
    return try await service.publish(staged)
  }

  // MARK: Decoding

  private func uploadRequest(_ request: HTTPRequest) throws -> UploadRequest {
    if request.headers.contains(name: "content-range") {
      throw Failure(
        .badRequest, code: "content-range",
        "a part of a file cannot be uploaded (Content-Range): send the whole file again")
    }
    return UploadRequest(
      name: nil, contentType: nil, declaredSize: request.contentLength,
      expirationSeconds: try single(request, ["x-expiration-seconds"]),
      maxDaysHeader: try single(request, ["max-days"]),
      maxDownloadsHeader: try single(request, ["x-max-downloads", "max-downloads"]))
  }

  /// The value of a field that may come once, under one of its names.
  private func single(_ request: HTTPRequest, _ names: [String]) throws -> String? {
    guard names.contains(where: { request.headers.contains(name: $0) }) else { return nil }
    let values = names.flatMap { request.headers[$0] }
    guard values.count <= 1 else {
      throw Failure(.badRequest, code: "bad-header", "the request has \(values.count) \(names[0]) fields: send one")
    }
    return values.first
  }

  private func fileName(_ path: String) throws -> FileName? {
    do throws(FileNameError) {
      return try FileName.inPath(path)
    } catch {
      throw UploadRejection.fileName(error)
    }
  }

  // MARK: Answering

  private func answer(
    _ receipts: [UploadService.Receipt], short: Bool, _ request: HTTPRequest, _ origin: ClientOrigin,
    _ writer: ResponseWriter
  ) async throws {
    let base = origin.publicURL?.description ?? ""
    var answers = receipts.map { receipt in
      let suffix =
        receipt.record.name.map { $0.fileExtension.map { ".\($0)" } ?? "" }
        ?? (receipt.record.contentType.hasPrefix("text/plain") ? ".txt" : "")
      return UploadAnswer(
        receipt.record, url: "\(base)/\(receipt.record.id)\(suffix)", deleteToken: receipt.deleteToken)
    }
    if short, let first = answers.first { answers[0] = await shortened(first) }
    // Nobody is there to be told the URL: the upload is not acknowledged, and nothing of it stays.
    guard writer.isConnected, let first = answers.first else {
      for receipt in receipts { await service.withdraw(receipt.record.id) }
      throw ConnectionClosed()
    }
    var headers = HTTPHeaders()
    // As many as there are, and those that are added to every answer.
    headers.reserveCapacity(12 + answers.count)
    headers.add(name: "location", value: first.url)
    headers.add(name: "x-one-time-upload", value: first.record.isOneTime ? "true" : "false")
    if !first.record.isOneTime { headers.add(name: "x-expiration-download", value: "true") }
    headers.add(name: "x-expires", value: first.expiresAt)
    for answer in answers { headers.add(name: "x-delete-token", value: answer.deleteToken) }
    if receipts.count == 1 {
      headers.add(name: "repr-digest", value: ReprDigest.format(sha256: receipts[0].record.sha256))
    }
    headers.add(name: "cache-control", value: "no-store")
    headers.add(name: "x-content-type-options", value: "nosniff")
    let body: ByteBuffer
    switch AnswerFormat(request.headers) {
    case .json:
      headers.add(name: "content-type", value: "application/json")
      body = answers.count == 1 ? try first.json(writer.allocator) : try answers.json(writer.allocator)
    case .html:
      headers.add(name: "content-type", value: "text/html; charset=utf-8")
      headers.add(name: "content-security-policy", value: Page.contentSecurityPolicy)
      body = writer.allocator.buffer(string: Page.uploaded(answers))
    case .uriList:
      headers.add(name: "content-type", value: "text/uri-list")
      body = writer.allocator.buffer(string: answers.map { $0.url + "\n" }.joined())
    case .text:
      headers.add(name: "content-type", value: "text/plain; charset=utf-8")
      body = writer.allocator.buffer(string: "\n\n\(answers.map(\.url).joined(separator: "\n"))\n\n\(first.note)\n")
    }
    try await writer.send(.ok, headers, body: body)
  }

  /// The file is stored: whatever the short URL service does, the client gets a URL that works.
  private func shortened(_ answer: UploadAnswer) async -> UploadAnswer {
    var answer = answer
    guard let shortURL else {
      answer.shortURLProblem = "Short URLs are not enabled on this server.\n此服务器未启用短链接。"
      return answer
    }
    if let url = await shortURL.shorten(answer.url) {
      answer.url = url
    } else {
      answer.shortURLProblem = "The short URL service did not answer; this is the long URL.\n短链接服务未响应,此为原始链接。"
    }
    return answer
  }
}
