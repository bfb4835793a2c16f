import Glibc
import Subprocess

/// Standard input that a program need not read to its end: one that has ended has said why, and that is the answer.
struct UnreadInput: InputProtocol {
  let text: String

  /// Writing to a pipe that nobody reads is an error here, not the end of this process.
  static let survivesClosedPipes: Void = {
    signal(SIGPIPE, SIG_IGN)
  }()

  func write(with writer: StandardInputWriter) async throws {
    do {
      _ = try await writer.write(Array(text.utf8))
    } catch  where error.code == .failedToWriteToSubprocess {
      return
    }
  }
}
