import ArgumentParser

/// The executable: arguments and wiring only.
@main
struct Bashupload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bashupload",
    abstract: "A file drop for the terminal: curl host -T file answers a URL that works once.",
    version: "0.1.0",
    subcommands: [Serve.self, Cleanup.self, Deploy.self])
}
