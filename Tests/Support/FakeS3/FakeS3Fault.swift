/// What goes wrong with one call.
package enum FakeS3Fault: String, Sendable, CaseIterable {
  // Nothing has happened.
  case internalError, unavailable, throttled
  /// The connection breaks in the middle of the request.
  case reset
  /// Status 200 with an error in the body, as S3 answers when a long operation fails late.
  case errorInAnswer
  /// The request is not read, and never answered.
  case stall

  // It has happened, and the caller does not know.
  case errorAfterEffect
  case lostAnswer

  // The body of the answer breaks off, or stops coming, in its middle.
  case truncatedAnswer
  case stalledAnswer

  /// Whether the call has taken effect when it fails.
  package var hasEffect: Bool {
    switch self {
    case .internalError, .unavailable, .throttled, .reset, .stall, .errorInAnswer: false
    case .errorAfterEffect, .lostAnswer, .truncatedAnswer, .stalledAnswer: true
    }
  }

  /// Those that any operation can meet, and that end by themselves: the others end when the caller's patience does.
  package static let quick = allCases.filter { ![.stall, .stalledAnswer, .errorInAnswer].contains($0) }
}
