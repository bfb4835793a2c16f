import Logging
import Synchronization

/// Tells the operator, once, that clients are not known and what to set.
package final class UnknownClientWarning: Sendable {
  private let isTold = Atomic(false)

  package init() {}

  func note(_ doubt: String, _ logger: Logger) {
    guard !isTold.exchange(true, ordering: .relaxed) else { return }
    logger.warning(
      "the address of a client is not known: it can resume no finished download and shares no limit; set TRUSTED_PROXIES to the addresses of the proxies in front, or to none",
      metadata: ["reason": "\(doubt)"])
  }
}
