/// A wait with a name, a deadline and a line of progress: nobody looks at a silent terminal and wonders.
struct Wait: Sendable {
  /// How far it is.
  enum State: Sendable {
    case done
    case pending(String)
    /// Waiting longer is of no use.
    case failed(String)
  }

  /// It did not happen.
  struct Failure: Error, CustomStringConvertible {
    var name: String
    var reason: String
    var seconds: Int

    var description: String { "\(name): \(reason) (after \(DurationText.text(Int64(seconds))))" }
  }

  private static let interval = 5
  /// A line at least this often, also when nothing changes.
  private static let heartbeat = 30

  let context: DeployContext
  let name: String
  let deadline: Int

  func until(_ look: () async throws -> State) async throws {
    let start = context.uptime()
    var told = ""
    var toldAt = 0
    while true {
      let elapsed = context.uptime() - start
      switch try await look() {
      case .done:
        context.say("\(name): done (\(elapsed) s)")
        return
      case .failed(let reason):
        throw Failure(name: name, reason: reason, seconds: elapsed)
      case .pending(let text):
        if elapsed >= deadline { throw Failure(name: name, reason: text, seconds: elapsed) }
        if text != told || elapsed - toldAt >= Self.heartbeat {
          context.say("\(name): \(text) (\(elapsed) s of \(deadline) s)")
          (told, toldAt) = (text, elapsed)
        }
      }
      try await context.sleep(Self.interval)
    }
  }
}
