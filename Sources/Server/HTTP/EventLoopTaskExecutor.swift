import NIOCore

/// Runs the async code of a connection on the event loop that owns its channel, so that a request crosses no thread.
///
/// SwiftNIO 2.101 has no `EventLoop.taskExecutor`; this is the adapter that it will replace.
final class EventLoopTaskExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    eventLoop.execute { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
