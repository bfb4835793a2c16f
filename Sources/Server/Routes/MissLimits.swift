import NIOHTTP1
import Synchronization
import UploadCore

/// How many ids and names that do not exist one client may ask a bucket for: each is up to three requests, which are
/// billed. On the local disk they cost next to nothing, and nothing is limited.
final class MissLimits: Sendable {
  /// Misses that a client may have at once, and per second in the long run.
  static let burst = 60.0
  static let perSecond = 1.0
  /// More clients than this are not remembered.
  private static let capacity = 50_000

  private struct Client {
    var misses: Double
    var since: Timestamp
  }

  private let isOn: Bool
  private let clients = Mutex<[[UInt8]: Client]>([:])

  init(isOn: Bool) {
    self.isOn = isOn
  }

  /// - Parameter client: nil: one that is not known. Those share one limit: what is spent here is the operator's money.
  /// - Throws: `Failure` 429.
  func check(_ client: ClientAddress?, _ route: Route, now: Timestamp) throws(Failure) {
    guard isOn, route.asksForUpload else { return }
    let misses = clients.withLock { $0[client?.network ?? []].map { Self.left($0, now) } ?? 0 }
    guard misses > Self.burst - 1 else { return }
    throw Failure(
      .tooManyRequests, code: "too-many-misses",
      "your address has asked for more than \(Int(Self.burst)) uploads that do not exist: check the URL, and try again in 10 s",
      retryAfter: 10)
  }

  /// There was none.
  func note(_ client: ClientAddress?, _ route: Route, now: Timestamp) {
    guard isOn, route.asksForUpload else { return }
    clients.withLock { clients in
      if clients.count >= Self.capacity {
        clients = clients.filter { Self.left($0.value, now) > 0 }
        if clients.count >= Self.capacity { clients.removeAll() }
      }
      let before = clients[client?.network ?? []].map { Self.left($0, now) } ?? 0
      clients[client?.network ?? []] = Client(misses: min(before + 1, Self.burst), since: now)
    }
  }

  private static func left(_ client: Client, _ now: Timestamp) -> Double {
    max(0, client.misses - Double(max(0, now.milliseconds(since: client.since))) / 1000 * perSecond)
  }
}
