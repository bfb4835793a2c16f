import CoreMetrics
import Synchronization

/// A metrics backend that keeps everything in memory and writes it in the Prometheus text format 0.0.4.
///
/// Counters and gauges (meters), which is what we record; timers and histograms become a count and a sum.
package final class PrometheusMetrics: MetricsFactory {

  private struct Series {
    var type: String
    var values: [String: MetricValue] = [:]
  }

  private let series = Mutex<[String: Series]>([:])

  package init() {}

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    value(label, dimensions, type: "counter")
  }

  package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    SummaryValue(
      count: value(label + "_count", dimensions, type: "counter"),
      sum: value(label + "_sum", dimensions, type: "counter"),
      scale: 1)
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    SummaryValue(
      count: value(label + "_count", dimensions, type: "counter"),
      sum: value(label + "_sum", dimensions, type: "counter"),
      scale: 1e-9)
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    value(label, dimensions, type: "gauge")
  }

  // Values live as long as the process: a counter that vanished would look like a restart.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}

  /// All series, sorted by name.
  package func text() -> String {
    var lines = ""
    for (name, entry) in series.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      lines += "# TYPE \(name) \(entry.type)\n"
      for (labels, value) in entry.values.sorted(by: { $0.key < $1.key }) {
        let number = value.current
        lines +=
          "\(name)\(labels) \(number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number))\n"
      }
    }
    return lines
  }

  private func value(_ name: String, _ dimensions: [(String, String)], type: String) -> MetricValue {
    let labels =
      dimensions.isEmpty ? "" : "{" + dimensions.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
    return series.withLock { series in
      if let existing = series[name]?.values[labels] { return existing }
      let value = MetricValue()
      series[name, default: Series(type: type)].values[labels] = value
      return value
    }
  }

  private static func escape(_ text: String) -> String {
    text.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
  }
}

/// One number of one series.
private final class MetricValue: CounterHandler, MeterHandler, Sendable {
  private let number = Mutex<Double>(0)

  var current: Double { number.withLock { $0 } }

  func increment(by amount: Int64) { add(Double(amount)) }
  func reset() { set(0.0) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { number.withLock { $0 = value } }
  func increment(by amount: Double) { add(amount) }
  func decrement(by amount: Double) { add(-amount) }

  func add(_ amount: Double) { number.withLock { $0 += amount } }
}

/// A count and a sum.
private final class SummaryValue: RecorderHandler, TimerHandler, Sendable {
  private let count: MetricValue
  private let sum: MetricValue
  private let scale: Double

  init(count: MetricValue, sum: MetricValue, scale: Double) {
    self.count = count
    self.sum = sum
    self.scale = scale
  }

  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }

  func record(_ value: Double) {
    count.add(1)
    sum.add(value * scale)
  }
}
