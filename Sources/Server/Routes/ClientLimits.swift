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
      if isUpload {
        do throws(Failure) {
          try count(&client, from: 1, now)
        } catch {
          clients[address] = client
          throw error
        }
      }
      client.requests += 1
      clients[address] = client
    }
    return Permit(limits: self, address: address)
  }

  /// Counts an upload that was not known to be one when its request was admitted.
  ///
  /// - Throws: `Failure` 429.
  func admitUpload(_ client: ClientAddress?, now: Timestamp) throws(Failure) {
    try count(client, from: 1, now)
  }

  /// Counts a further file of a form. They may be up to a minute's worth ahead of the limit, so that a form does not end in its
  /// middle; the next uploads wait for that.
  ///
  /// - Throws: `Failure` 429.
  func charge(_ client: ClientAddress?, now: Timestamp) throws(Failure) {
    try count(client, from: 1 - Double(uploadsPerMinute ?? 0), now)
  }

  private func count(_ client: ClientAddress?, from least: Double, _ now: Timestamp) throws(Failure) {
    guard let address = client?.network, let uploadsPerMinute else { return }
    try clients.withLock { clients throws(Failure) in
      var client = clients[address] ?? Client(uploads: Double(uploadsPerMinute), refilled: now)
      defer { clients[address] = client }
      try count(&client, from: least, now)
    }
  }

  /// - Parameter least: what must be left in the bucket.
  private func count(_ client: inout Client, from least: Double, _ now: Timestamp) throws(Failure) {
    guard let uploadsPerMinute else { return }
    let perMinute = Double(uploadsPerMinute)
    let seconds = Double(max(0, now.milliseconds(since: client.refilled))) / 1000
    client.uploads = min(perMinute, client.uploads + seconds * perMinute / 60)
    client.refilled = now
    guard client.uploads >= least else {
      let wait = Int(((least - client.uploads) * 60 / perMinute).rounded(.up))
      throw Failure(
        .tooManyRequests, code: "rate-limit",
        "your address has reached \(uploadsPerMinute) uploads per minute: try again in \(wait) s", retryAfter: wait)
    }
    client.uploads -= 1
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

  /// After two minutes of doing nothing a client is as good as new. With too many even so, all that do nothing are
  /// forgotten: memory is bounded, and looking through them is rare.
  private func forgetIdle(_ clients: inout [[UInt8]: Client], now: Timestamp) {
    clients = clients.filter { $0.value.requests > 0 || now.milliseconds(since: $0.value.refilled) < 120_000 }
    if clients.count > Self.capacity / 2 { clients = clients.filter { $0.value.requests > 0 } }
  }
}
