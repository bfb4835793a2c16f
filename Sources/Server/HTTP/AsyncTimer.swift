/// Ticks every so often, the first time after one interval; ends when its task is cancelled.
struct AsyncTimer: AsyncSequence, Sendable {
  var interval: Duration

  init(every interval: Duration) {
    self.interval = interval
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    var interval: Duration

    mutating func next() async -> Void? {
      try? await Task.sleep(for: interval)
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(interval: interval)
  }
}
