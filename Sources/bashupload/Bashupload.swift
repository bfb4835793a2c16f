import ArgumentParser
import Ops

/// The executable: arguments and wiring only.
@main
struct Bashupload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bashupload",
    abstract: "A file drop for the terminal: curl host -T file answers a URL that works once.",
    version: "0.1.0",
    subcommands: commands)

  private static let commands: [any ParsableCommand.Type] = [Serve.self, Cleanup.self, Deploy.self]

  static func main() async {
    let names = commands.map { $0._commandName } + ["help"]
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word) {
      CommandFailure.complain("there is no command \"\(word)\": \(Spelling.hint(word, of: names))")
      exit(withError: ExitCode(64))
    }
    await main(nil)
  }
}
