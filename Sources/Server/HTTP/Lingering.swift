import NIOCore
import Synchronization

/// The end of a connection whose client is still sending.
///
/// Closing a socket with unread bytes in it resets the connection, and the client may lose our answer with it: programs that
/// read only when they have sent everything (wget, Java) would never see why they were refused. So: say that we are done,
/// swallow what is still coming, then close.
///
/// `IDLE_TIMEOUT` and `MIN_RATE` hold as for every body; the whole is bounded too, and so is how many do this at a time.
struct Lingering {
  /// Bytes that are swallowed whatever the limit of uploads is.
  static let leastBytes: Int64 = 64 * 1024 * 1024
  /// The whole time of one that has a slot, and of one that has none.
  private static let longTime = TimeAmount.hours(1)
  private static let shortTime = TimeAmount.seconds(2)

  let limits: ConnectionLimits
  let slots: LingerSlots
  let watch: NIOLoopBound<ConnectionWatch>

  /// Swallows the rest of a body that nobody wants.
  func swallow(_ body: RequestBody, _ channel: any Channel) async {
    guard channel.isActive else { return }
    // A client that waits for 100 Continue sends nothing more: do not invite it.
    let isWaiting = body.isAwaitingContinue
    body.forgetContinue()
    await within(isWaiting: isWaiting, channel) {
      let limit = body.received + limits.lingerBytes
      do {
        while body.received < limit, try await body.next() != nil {}
      } catch {
        // The body cannot be read any more, which is why it was refused; bytes may still come.
        guard channel.isActive else { return }
        watch.value.swallow(limit - body.received, channel)
        try? await channel.closeFuture.get()
      }
    }
  }

  /// Swallows bytes behind a request that cannot be read: where it ends is not known.
  func swallowBytes(_ channel: any Channel) async {
    guard channel.isActive else { return }
    await within(isWaiting: false, channel) {
      watch.value.swallow(limits.lingerBytes, channel)
      try? await channel.closeFuture.get()
    }
  }

  private func within(isWaiting: Bool, _ channel: any Channel, _ body: () async -> Void) async {
    let hasSlot = !isWaiting && !watch.value.isDraining && slots.take()
    defer { if hasSlot { slots.giveBack() } }
    let deadline = channel.eventLoop.scheduleTask(in: hasSlot ? Self.longTime : Self.shortTime) {
      channel.close(promise: nil)
    }
    defer { deadline.cancel() }
    watch.value.isLingering = true
    // Waits for what is still in the buffers.
    watch.value.enter(.response)
    try? await channel.close(mode: .output)
    watch.value.enter(.working)
    await body()
  }
}

/// How many connections may swallow a body for long. The others do it for two seconds: refused clients never take the places
/// of those that are served.
final class LingerSlots: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) {
    free = Mutex(count)
  }

  func take() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  func giveBack() {
    free.withLock { $0 += 1 }
  }
}
