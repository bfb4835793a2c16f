import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import UploadCore

/// Sends a download that counts, so that it is complete at most once per slot (P1) and spends nothing when it is cut off
/// before (P2).
///
/// All but the last chunk goes out under a lease that is renewed meanwhile. When the peer has acknowledged that, the slot
/// is consumed by compare-and-set, and only then the last chunk is sent: who could not consume never completes.
struct CountedDelivery {
  let holder: SlotHolder
  let ledger: any DownloadLedger
  let leaseSeconds: Int64
  let now: @Sendable () -> Timestamp
  let logger: Logger

  /// How the delivery ended.
  enum Outcome {
    case complete
    /// The client went away, or somebody else took the lease over; the slot is free or theirs.
    case cutOff
  }

  /// Sends `range`, whose end is the end of the blob. The response head has been written.
  func send(_ range: Range<Int64>, of reader: any BlobReader, to writer: ResponseWriter) async throws -> Outcome {
    let progress = DeliveryProgress()
    let (abort, acknowledged) = (writer.abort, writer.acknowledgedBytes)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await renew(progress, acknowledged)
        if progress.isLeaseLost { abort() }
      }
      defer { group.cancelAll() }
      return try await drive(range, of: reader, to: writer, progress)
    }
  }

  /// What to do next is `DeliveryStateMachine`'s to say; here is only how.
  private func drive(
    _ range: Range<Int64>, of reader: any BlobReader, to writer: ResponseWriter, _ progress: DeliveryProgress
  ) async throws -> Outcome {
    var machine = DeliveryStateMachine(size: Int64(range.count))
    let bulk = range.lowerBound..<(range.lowerBound + machine.bulk)
    var action = machine.handle(.started)
    while let current = action {
      switch current {
      case .sendBulk:
        let sent = (try? await BlobSender.send(bulk, of: reader, to: writer) { progress.add($0) }) != nil
        action = machine.handle(progress.isLeaseLost ? .leaseLost : sent ? .bulkSent : .clientGone)
      case .waitForAcknowledgement:
        var acknowledged = await writer.waitForAcknowledgement()
        if acknowledged {
          try? await ledger.awaitTurn(holder)
          // Who has left meanwhile has spent nothing.
          acknowledged = await writer.waitForAcknowledgement()
        }
        action = machine.handle(progress.isLeaseLost ? .leaseLost : acknowledged ? .peerAcknowledged : .clientGone)
      case .consume:
        action = machine.handle(await consume(Int64(range.count), progress) ? .consumeSucceeded : .consumeFailed)
      case .sendLastChunk:
        try await BlobSender.send(bulk.upperBound..<range.upperBound, of: reader, to: writer)
        try await writer.finish()
        action = machine.handle(.lastChunkSent)
      case .release:
        try await ledger.release(holder, bytesSent: progress.bytes, now: now())
        return .cutOff
      case .abort:
        return .cutOff
      case .finish:
        return .complete
      }
    }
    return .cutOff
  }

  private func consume(_ bytes: Int64, _ progress: DeliveryProgress) async -> Bool {
    guard !progress.isLeaseLost else { return false }
    do {
      return try await ledger.consume(holder, bytesSent: bytes, now: now())
    } catch {
      logger.warning(
        "download not consumed, its end is not sent", metadata: ["id": "\(holder.id.shortened)", "error": "\(error)"])
      return false
    }
  }

  /// Renews the lease three times in its life, as long as the peer takes bytes, until the task is cancelled or the lease
  /// is lost. A peer that has stopped keeps its place for one lease, no longer.
  private func renew(_ progress: DeliveryProgress, _ acknowledged: @Sendable () -> UInt64?) async {
    var last = acknowledged()
    for await _ in AsyncTimer(every: .milliseconds(leaseSeconds * 1000 / 3)) {
      let current = acknowledged()
      defer { last = current }
      if let current, current == last { continue }
      do {
        if try await ledger.renew(holder, bytesSent: progress.bytes, now: now()) { continue }
        progress.isLeaseLost = true
        return
      } catch {
        // The index may be back at the next tick; consuming decides in any case.
        logger.warning("lease not renewed", metadata: ["id": "\(holder.id.shortened)", "error": "\(error)"])
      }
    }
  }
}

/// What the sender and the renewal share.
private final class DeliveryProgress: Sendable {
  private let state = Mutex<(bytes: Int64, isLeaseLost: Bool)>((0, false))

  var bytes: Int64 { state.withLock { $0.bytes } }
  /// Counted before a piece is sent: a client that leaves in the middle of a piece has cost us the piece.
  func add(_ count: Int64) { state.withLock { $0.bytes += count } }

  var isLeaseLost: Bool {
    get { state.withLock { $0.isLeaseLost } }
    set { state.withLock { $0.isLeaseLost = newValue } }
  }
}
