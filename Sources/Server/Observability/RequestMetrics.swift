import CoreMetrics
import Metrics
import NIOCore
import NIOHTTP1

/// Counts what the service does, for `/metrics`.
struct RequestMetrics: Sendable {
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
    // Routes and statuses are few and ours: a client cannot make new series.
    let dimensions = [("route", route.name), ("status", String(writer.status?.code ?? 499))]
    Counter(label: "bashupload_requests_total", dimensions: dimensions, factory: factory).increment()
    Timer(label: "bashupload_request_seconds", dimensions: [("route", route.name)], factory: factory)
      .recordNanoseconds(duration.nanoseconds)
  }
}
