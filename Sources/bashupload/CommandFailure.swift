import ArgumentParser
import Glibc
import Server

/// What a command says when it fails: lines for a person on standard error, and exit code 1.
enum CommandFailure {
  static func complain(_ text: String) {
    var lines = text.split(separator: "\n").map { "bashupload: \($0)\n" }.joined()
    lines.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Runs `body`; failures that have been put into words are printed, others as they are.
  static func explained<T>(_ body: () async throws -> T) async throws -> T {
    do {
      return try await body()
    } catch let error as ExitCode {
      throw error
    } catch {
      complain("\(error)")
      throw ExitCode(1)
    }
  }
}
