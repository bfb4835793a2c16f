import NIOCore

extension R2Client {
  /// Sends a request whose body `body` writes, in the caller's own task; the exchange runs beside it and ends with it.
  nonisolated(nonsending) func send(
    _ request: S3Request, contentLength: Int64, body: (S3BodyWriter) async throws -> Void
  ) async throws -> S3Answer {
    let relay = BodyRelay(length: contentLength)
    return try await withThrowingTaskGroup(of: S3Answer.self) { group in
      group.addTask {
        do {
          let answer = try await self.send(request, relay: relay, length: contentLength)
          guard relay.isComplete else { throw Self.answeredTooSoon(request) }
          return answer
        } catch {
          relay.fail(error)
          throw error
        }
      }
      do {
        try await body(S3BodyWriter(relay: relay, request: request))
        if relay.remaining > 0 {
          throw request.failure(.incompleteBody, "\(relay.remaining) bytes of the body are missing")
        }
        relay.finish()
      } catch {
        // Whoever failed first has told the relay: the exchange, or now the body.
        relay.fail(error)
        group.cancelAll()
        throw error
      }
      guard let answer = try await group.next() else { throw CancellationError() }
      return answer
    }
  }

  private static func answeredTooSoon(_ request: S3Request) -> S3Error {
    var error = request.failure(.malformedAnswer, "the store has answered before it had the whole body")
    error.outcomeUnknown = request.operation.isWrite
    return error
  }
}
