import CoreMetrics
import Metrics
import R2Client
import Synchronization

/// Counts what the bucket is asked, for `/metrics`: each attempt is billed by its class, refusals (412, 429) included.
final class StoreMetrics: Sendable {
  /// What makes a series of its own. Few: operations are fourteen, and a store has about ten answers.
  private struct Kind: Hashable {
    var operation: S3Operation
    /// Nil: no answer.
    var status: Int?
  }

  private let factory: any MetricsFactory
  private let counters = Mutex<[Kind: Counter]>([:])
  private let seconds: [S3Operation: Timer]

  init(factory: any MetricsFactory) {
    self.factory = factory
    seconds = Dictionary(
      uniqueKeysWithValues: S3Operation.allCases.map {
        (
          $0,
          Timer(label: "bashupload_s3_request_seconds", dimensions: [("operation", $0.rawValue)], factory: factory)
        )
      })
  }

  func record(_ report: S3OperationReport) {
    let kind = Kind(operation: report.operation, status: report.status)
    let counter = counters.withLock { counters in
      if let counter = counters[kind] { return counter }
      let counter = Counter(
        label: "bashupload_s3_requests_total",
        dimensions: [
          ("operation", report.operation.rawValue), ("class", report.pricing.rawValue),
          ("status", report.status.map { String($0) } ?? "none"),
        ], factory: factory)
      counters[kind] = counter
      return counter
    }
    counter.increment()
    let (whole, part) = report.duration.components
    seconds[report.operation]?.recordNanoseconds(whole * 1_000_000_000 + part / 1_000_000_000)
  }
}
