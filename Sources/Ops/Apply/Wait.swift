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
    /// What to do; empty: whoever waits says it.
    var advice = ""

    var description: String {
      "\(name): \(reason) (after \(DurationText.text(Int64(seconds))))\(advice.isEmpty ? "" : "; \(advice)")"
    }
  }

  private static let interval = 5
  /// A line at least this often, also when nothing changes.
  private static let heartbeat = 30

  let context: DeployContext
  let name: String
  let deadline: Int
  var advice = ""

  /// A look that kubectl could not make is one more: the API server may be away for a moment.
  func until(_ look: () async throws -> State) async throws {
    let start = context.uptime()
    var told = ""
    var toldAt = 0
    while true {
      let state = try await Self.tried(look)
      try Task.checkCancellation()
      try await DeployLock.held?.renew()
      let elapsed = context.uptime() - start
      switch state {
      case .done:
        context.say("\(name): done (\(elapsed) s)")
        return
      case .failed(let reason):
        throw Failure(name: name, reason: reason, seconds: elapsed, advice: advice)
      case .pending(let text):
        if elapsed >= deadline { throw Failure(name: name, reason: text, seconds: elapsed, advice: advice) }
        if text != told || elapsed - toldAt >= Self.heartbeat {
          context.say("\(name): \(text) (\(elapsed) s of \(deadline) s)")
          (told, toldAt) = (text, elapsed)
        }
      }
      try await context.sleep(Self.interval)
    }
  }

  private static func tried(_ look: () async throws -> State) async throws -> State {
    do {
      return try await look()
    } catch let error as KubectlError {
      return .pending(error.brief)
    } catch let error as CommandError {
      guard case .deadline = error else { throw error }
      return .pending(error.description)
    }
  }
}
