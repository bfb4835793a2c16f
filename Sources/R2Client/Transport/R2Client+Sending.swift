import AsyncHTTPClient
import NIOCore
import NIOHTTP1

// One request: attempts, pauses between them, and what their answers mean.
extension R2Client {
  /// Answers of listings are below 2 MiB; more is not S3.
  private static let answerLimit = 8 << 20

  /// Sends a request, repeats what may be repeated, and reads the answer to its end.
  func send(_ request: S3Request) async throws -> S3Answer {
    try await repeating(request) { attempt in
      let answer = try await self.exchange(request, body: nil, attempt: attempt)
      return try await Self.collect(answer, request)
    }
  }

  /// The same for a body that can be read only once: repeated only while nobody has read from it.
  func send(_ request: S3Request, relay: BodyRelay, length: Int64) async throws -> S3Answer {
    try await repeating(request, isReplayable: { !relay.wasRead }) { attempt in
      let answer = try await self.exchange(request, body: self.stream(relay, length: length), attempt: attempt)
      return try await Self.collect(answer, request)
    }
  }

  /// Sends a request; the body of the answer is the caller's to read.
  func open(_ request: S3Request) async throws -> HTTPClientResponse {
    try await repeating(request) { attempt in
      try await self.exchange(request, body: nil, attempt: attempt)
    }
  }

  /// Runs attempts until one succeeds or the next may not be made.
  private func repeating<Answer: Sendable>(
    _ request: S3Request, isReplayable: () -> Bool = { true }, _ attempt: (Int) async throws -> Answer
  ) async throws -> Answer {
    var number = 1
    var wasUnknown = false
    let start = ContinuousClock.now
    while true {
      do {
        let answer = try await attempt(number)
        budget.succeeded()
        return answer
      } catch var error as S3Error {
        let isUnknown = error.outcomeUnknown
        wasUnknown = wasUnknown || isUnknown
        error.attempts = number
        error.outcomeUnknown = wasUnknown
        guard start.duration(to: .now) < options.retry.patience,
          let pause = pause(after: error, attempt: number, request, isUnknown: isUnknown, isReplayable: isReplayable())
        else { throw error }
        do {
          try await options.sleep(pause)
        } catch {
          throw CancellationError()
        }
        number += 1
      }
    }
  }

  /// How long to wait before the next attempt; nil when there must be none.
  private func pause(
    after error: S3Error, attempt: Int, _ request: S3Request, isUnknown: Bool, isReplayable: Bool
  ) -> Duration? {
    guard error.isTransient, isReplayable, !request.repeatsNothing, !isUnknown || request.repeats,
      attempt < options.retry.maximumAttempts
    else { return nil }
    let pause = options.retry.delay(afterAttempt: attempt, jitter: options.jitter())
    let asked = error.retryAfter ?? .zero
    guard asked <= options.retry.maximumDelay, budget.take() else { return nil }
    return max(pause, asked)
  }

  /// One attempt, up to the head of a successful answer.
  private func exchange(
    _ request: S3Request, body: HTTPClientRequest.Body?, attempt: Int
  ) async throws -> HTTPClientResponse {
    let start = ContinuousClock.now
    var report = S3OperationReport(operation: request.operation, attempt: attempt, duration: .zero)
    defer {
      report.duration = start.duration(to: .now)
      options.observe(report)
    }
    do {
      try Task.checkCancellation()
      let answer = try await http.execute(signed(request, body: body), deadline: .distantFuture)
      report.status = Int(answer.status.code)
      guard (200...299).contains(answer.status.code) else {
        throw await refusal(answer, request)
      }
      return answer
    } catch {
      let failure = TransportFailure.error(from: error, request)
      report.errorCode = (failure as? S3Error)?.code
      throw failure
    }
  }

  private func refusal(_ answer: HTTPClientResponse, _ request: S3Request) async -> S3Error {
    // An answer that breaks off within its body has still said its status.
    let body = try? await answer.body.collect(upTo: 64 << 10)
    return S3Error(
      request, status: Int(answer.status.code), headers: answer.headers, body: body ?? ByteBuffer(), now: options.now())
  }

  private static func collect(_ answer: HTTPClientResponse, _ request: S3Request) async throws -> S3Answer {
    do {
      let body = try await answer.body.collect(upTo: answerLimit)
      return S3Answer(headers: answer.headers, body: body)
    } catch is NIOTooManyBytesError {
      throw request.failure(.malformedAnswer, "the answer is larger than \(answerLimit) bytes")
    } catch {
      throw TransportFailure.error(from: error, request)
    }
  }
}
