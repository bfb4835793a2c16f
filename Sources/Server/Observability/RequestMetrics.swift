import CoreMetrics
import Metrics
import NIOCore
import NIOHTTP1
import Synchronization

/// Counts what the service does, for `/metrics`.
final class RequestMetrics: Sendable {
  private let known = Mutex<[String: [UInt: Handles]]>([:])
  private let factory: any MetricsFactory
  private let received: Counter
  private let sent: Counter
  private let uploads: Counter
  private let aborted: Counter

  init(factory: any MetricsFactory) {
    self.factory = factory
    received = Counter(label: "bashupload_received_bytes_total", dimensions: [], factory: factory)
    sent = Counter(label: "bashupload_sent_bytes_total", dimensions: [], factory: factory)
    uploads = Counter(label: "bashupload_uploads_total", dimensions: [], factory: factory)
    aborted = Counter(label: "bashupload_aborted_requests_total", dimensions: [], factory: factory)
  }

  func record(
    _ route: Route, _ request: HTTPRequest, _ body: RequestBody, _ writer: ResponseWriter, _ duration: TimeAmount
  ) {
    received.increment(by: body.received)
    sent.increment(by: writer.bytesSent)
    if route.isUpload, writer.status == .ok { uploads.increment() }
    if !writer.isFinished { aborted.increment() }
    let handles = handles(route.name, writer.status?.code ?? 499)
    handles.requests.increment()
    handles.seconds.recordNanoseconds(duration.nanoseconds)
  }

  private struct Handles {
    var requests: Counter
    var seconds: Timer
  }

  /// Routes and statuses are few and ours, so a client cannot make new series; looked up once each.
  private func handles(_ route: String, _ status: UInt) -> Handles {
    known.withLock { known in
      if let handles = known[route]?[status] { return handles }
      let handles = Handles(
        requests: Counter(
          label: "bashupload_requests_total", dimensions: [("route", route), ("status", String(status))],
          factory: factory),
        seconds: Timer(label: "bashupload_request_seconds", dimensions: [("route", route)], factory: factory))
      known[route, default: [:]][status] = handles
      return handles
    }
  }
}
