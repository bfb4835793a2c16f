import NIOHTTP1
import Synchronization
import UploadCore

/// What one client address may do at a time. Off unless set; `deploy` sets it.
final class ClientLimits: Sendable {
  private struct Client {
    var requests = 0
    /// Token bucket: uploads that may begin now; refilled steadily, at most one minute's worth.
    var uploads: Double
    var refilled: Timestamp
  }

  private let maximumRequests: Int?
  private let uploadsPerMinute: Int?
  private let clients = Mutex<[[UInt8]: Client]>([:])

  init(requests: Int?, uploadsPerMinute: Int?) {
    maximumRequests = requests
    self.uploadsPerMinute = uploadsPerMinute
  }

  /// - Parameter client: nil: a client that is not known shares no limit.
  /// - Returns: a permit to end when the request is over; nil when nothing is limited.
  /// - Throws: `Failure` 429.
  func admit(_ client: ClientAddress?, isUpload: Bool, now: Timestamp) throws(Failure) -> Permit? {
    guard let address = client?.network, maximumRequests != nil || (uploadsPerMinute != nil && isUpload) else {
      return nil
    }
    let perMinute = Double(uploadsPerMinute ?? 0)
    try clients.withLock { clients throws(Failure) in
      if clients.count > Self.capacity { forgetIdle(&clients, now: now) }
      var client = clients[address] ?? Client(uploads: perMinute, refilled: now)
      if let maximumRequests, client.requests >= maximumRequests {
        throw Failure(
          .tooManyRequests, code: "too-many-requests",
          "your address has \(client.requests) requests in progress; the limit is \(maximumRequests): wait for one to end",
          retryAfter: 5)
      }
      if let uploadsPerMinute, isUpload {
        let seconds = Double(max(0, now.milliseconds(since: client.refilled))) / 1000
        client.uploads = min(perMinute, client.uploads + seconds * perMinute / 60)
        client.refilled = now
        guard client.uploads >= 1 else {
          let wait = Int(((1 - client.uploads) * 60 / perMinute).rounded(.up))
          clients[address] = client
          throw Failure(
            .tooManyRequests, code: "rate-limit",
            "your address has reached \(uploadsPerMinute) uploads per minute: try again in \(wait) s", retryAfter: wait)
        }
        client.uploads -= 1
      }
      client.requests += 1
      clients[address] = client
    }
    return Permit(limits: self, address: address)
  }

  /// One request in progress.
  struct Permit: Sendable {
    fileprivate let limits: ClientLimits
    fileprivate let address: [UInt8]

    func end() { limits.end(address) }
  }

  private func end(_ address: [UInt8]) {
    clients.withLock { clients in
      guard var client = clients[address] else { return }
      client.requests -= 1
      // Without a rate there is nothing to remember about a client that does nothing.
      clients[address] = client.requests == 0 && uploadsPerMinute == nil ? nil : client
    }
  }

  /// More clients than this are not remembered.
  private static let capacity = 100_000

  /// After a minute of doing nothing a client is as good as new. With too many even so, all that do nothing are
  /// forgotten: memory is bounded, and looking through them is rare.
  private func forgetIdle(_ clients: inout [[UInt8]: Client], now: Timestamp) {
    clients = clients.filter { $0.value.requests > 0 || now.milliseconds(since: $0.value.refilled) < 60_000 }
    if clients.count > Self.capacity / 2 { clients = clients.filter { $0.value.requests > 0 } }
  }
}
