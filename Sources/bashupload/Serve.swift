import ArgumentParser
import Server

/// `bashupload serve`
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the service.",
    usage: "bashupload serve [--print-config] [--<setting> <value> ...]",
    discussion: SettingArguments.manual)

  @Flag(help: "Print the settings in force, without secrets, and end.")
  var printConfig = false

  @Argument(parsing: .allUnrecognized, help: .hidden)
  var settings: [String] = []

  func run() async throws {
    let reader = try SettingArguments.reader(settings)
    let configuration = try SettingArguments.configuration(reader)
    if printConfig {
      print(SettingTable.inForce(reader), terminator: "")
      return
    }
    let logger = configuration.log.logger("bashupload")
    let application = Application(configuration, logger: logger, metrics: PrometheusMetrics())
    try await CommandFailure.explained { try await application.run() }
  }
}
