import NIOHTTP1
import UploadCore

/// What a request asks for, from its method and path alone.
enum Route {
  case home
  case health
  case readiness
  case configuration
  case uploadState(UploadID)
  /// PUT of a body under a path; `short`: the answer is a short URL.
  case put(path: String, short: Bool)
  /// POST of a body or a form.
  case post(path: String)
  case download(UploadID, spends: Bool)
  /// An object of bashupload-r2 or bashupload-go, by its key.
  case legacy(key: String, spends: Bool)
  case delete(UploadID)
  case options
  case unknown
  case methodNotAllowed(allowed: String)

  init(_ request: HTTPRequest) {
    let path = request.path
    switch request.method {
    case .GET, .HEAD: self = Self.get(path)
    case .PUT: self = Self.put(path)
    case .POST: self = Self.post(path, request)
    case .DELETE: self = Self.uploadID(path).map { .delete($0) } ?? .unknown
    case .OPTIONS: self = .options
    default: self = .methodNotAllowed(allowed: "GET, HEAD, PUT, POST, DELETE, OPTIONS")
    }
  }

  private static func get(_ path: String) -> Route {
    switch path {
    case "/", "/index.html": return .home
    case "/healthz": return .health
    case "/readyz": return .readiness
    case "/api/config": return .configuration
    default: break
    }
    if path.hasPrefix("/api/v1/uploads/") {
      return UploadID(path.dropFirst("/api/v1/uploads/".count)).map { .uploadState($0) } ?? .unknown
    }
    return uploadID(path).map { .download($0, spends: false) } ?? legacy(path, spends: false) ?? .unknown
  }

  private static func put(_ path: String) -> Route {
    if path == "/short" { return .put(path: "/", short: true) }
    if path.hasPrefix("/short/") { return .put(path: String(path.dropFirst("/short".count)), short: true) }
    return .put(path: path, short: false)
  }

  /// The button of the download page posts to the URL of the upload, without a body. A body of any other kind is an
  /// upload, even if its name looks like an id.
  private static func post(_ path: String, _ request: HTTPRequest) -> Route {
    let type = request.headers.first(name: "content-type")?.lowercased() ?? ""
    let isButton =
      !request.isChunked
      && ((request.contentLength ?? 0) == 0
        || (type.hasPrefix("application/x-www-form-urlencoded") && (request.contentLength ?? 0) <= 1024))
    if isButton, let id = uploadID(path) { return .download(id, spends: true) }
    if isButton, let route = legacy(path, spends: true) { return route }
    return .post(path: path)
  }

  /// `/<id>`, `/<id>.ext`, and either with `/name` behind it.
  private static func uploadID(_ path: String) -> UploadID? {
    let slash = UInt8(ascii: "/")
    let first = path.utf8.dropFirst().prefix { $0 != slash }
    guard !path.utf8.dropFirst(first.count + 2).contains(slash) else { return nil }
    guard let id = UploadID(Substring(first.prefix(UploadID.length))) else { return nil }
    let rest = first.dropFirst(UploadID.length)
    return rest.isEmpty || rest.first == UInt8(ascii: ".") ? id : nil
  }

  private static func legacy(_ path: String, spends: Bool) -> Route? {
    let key = path.utf8.dropFirst()
    return LegacyMetadata.isKey(Substring(key)) ? .legacy(key: String(Substring(key)), spends: spends) : nil
  }

  /// A short name for logs and metrics; never contains what the client sent.
  var name: String {
    switch self {
    case .home: "/"
    case .health: "/healthz"
    case .readiness: "/readyz"
    case .configuration: "/api/config"
    case .uploadState: "/api/v1/uploads/<id>"
    case .put(_, let short): short ? "/short/<name>" : "/<name>"
    case .post: "/<body>"
    case .download, .delete: "/<id>"
    case .legacy: "/<key>"
    case .options: "*"
    case .unknown, .methodNotAllowed: "?"
    }
  }

  /// Somebody asks whether the service is there; no client does.
  var isProbe: Bool {
    switch self {
    case .health, .readiness: true
    default: false
    }
  }

  /// The upload that the request names.
  var id: UploadID? {
    switch self {
    case .uploadState(let id), .download(let id, _), .delete(let id): id
    default: nil
    }
  }

  /// Answers need the password when there is one.
  var isGuarded: Bool {
    switch self {
    case .put, .post, .download, .legacy, .delete, .uploadState: true
    default: false
    }
  }

  /// Answers need a look into the store for an id or a name that the client chose.
  var asksForUpload: Bool {
    switch self {
    case .download, .legacy, .delete, .uploadState: true
    default: false
    }
  }

  var isUpload: Bool {
    switch self {
    case .put, .post: true
    default: false
    }
  }
}
