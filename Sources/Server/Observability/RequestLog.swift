import Logging
import NIOCore
import NIOHTTP1
import UploadCore

/// One line for each request. Written without the dictionary that an entry of a `Logger` is: this is the entry that
/// there are thousands of in a second.
struct RequestLog: Sendable {
  let isEnabled: Bool
  /// Probes that succeed as well: one every two seconds, which says nothing.
  let showsProbes: Bool
  let isJSON: Bool

  /// - Parameters:
  ///   - failure: why the request was refused or failed; nil when it was not.
  ///   - cause: what the store or the index said, for the operator.
  func write(
    _ route: Route, _ request: HTTPRequest, _ origin: ClientOrigin, _ body: RequestBody, _ writer: ResponseWriter,
    _ failure: Failure?, _ cause: String?, _ duration: TimeAmount
  ) {
    let isQuiet = route.isProbe && writer.isFinished && failure == nil && writer.status == .ok
    guard isEnabled, showsProbes || !isQuiet else { return }
    var line = LogLine(isJSON: isJSON, level: isQuiet ? .debug : .info, message: "request")
    if !writer.isFinished { line.add("aborted", "true") }
    if let cause { line.add("cause", cause) }
    line.add("client", origin.text)
    if let id = route.id { line.add("id", id.shortened) }
    line.add("method", request.method.rawValue)
    line.add("milliseconds", String(duration.nanoseconds / 1_000_000))
    if let failure { line.add("problem", failure.code) }
    line.add("received", String(body.received))
    line.add("route", route.name)
    line.add("sent", String(writer.bytesSent))
    line.add("status", String(writer.status?.code ?? 499))
    line.end()
    LogOutput.write(line, isUrgent: false)
  }
}
