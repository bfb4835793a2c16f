/// When snapshots are made, as cron says it.
enum SnapshotSchedule {
  /// The nearest regular rhythm that is not slower: cron counts hours of a day and days of a month.
  /// - Parameter seconds: at least an hour.
  static func cron(every seconds: Int64) -> String {
    let hours = max(1, seconds / 3_600)
    if hours >= 24 { return hours >= 48 ? "0 3 */\(hours / 24) * *" : "0 3 * * *" }
    let divisors: [Int64] = [12, 8, 6, 4, 3, 2]
    let divisor = divisors.first { $0 <= hours } ?? 1
    return divisor == 1 ? "0 * * * *" : "0 */\(divisor) * * *"
  }
}

/// Where snapshots go: a bucket of their own, because what is in the service's bucket can be asked for by its key.
struct SnapshotBucket {
  private let file: ClusterFile

  init(_ file: ClusterFile) {
    self.file = file
  }

  var bucket: String { file.kubernetes.snapshotBucket ?? "\(file.storage.bucket)-snapshots" }

  var folder: String { file.cluster }

  private var endpoint: String {
    file.storage.endpoint ?? "https://\(file.storage.accountID).r2.cloudflarestorage.com"
  }

  /// Without scheme and path.
  var host: String {
    let rest = endpoint.firstRange(of: "://").map { endpoint[$0.upperBound...] } ?? endpoint[...]
    return String(rest.prefix { $0 != "/" })
  }

  var isInsecure: Bool { endpoint.hasPrefix("http://") }
}
