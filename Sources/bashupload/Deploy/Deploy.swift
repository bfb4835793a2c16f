import ArgumentParser
import Ops

/// `bashupload deploy`: every word after it belongs to `Ops`, whose grammar is pure and tested there.
struct Deploy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put the service on public servers, from one cluster file.",
    usage: "bashupload deploy VERB [--file bashupload.yaml]")

  @Argument(parsing: .captureForPassthrough, help: .hidden)
  var words: [String] = []

  func run() async throws {
    let words = words
    let status = await Interruption.cancelling { await DeployCommand(.process).run(words) }
    if status != 0 { throw ExitCode(status) }
  }
}
