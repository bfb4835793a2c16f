import ArgumentParser
import Server

/// `bashupload cleanup`
struct Cleanup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove what has expired, in one pass; safe beside a running server.",
    usage: "bashupload cleanup [--dry-run] [--json] [--rebuild-index] [--<setting> <value> ...]",
    discussion: """
      Reads the settings of serve; DATA_DIR says what to clean. Exits 0 when everything that was due is gone, \
      1 when something could not be removed (it is tried again by the next run).
      """)

  @Flag(help: "Only say what would be removed.")
  var dryRun = false

  @Flag(help: "Print the counts as one line of JSON.")
  var json = false

  @Flag(help: "With a bucket: forget what is known of its objects and ask again.")
  var rebuildIndex = false

  @Argument(parsing: .allUnrecognized, help: .hidden)
  var settings: [String] = []

  func run() async throws {
    let configuration = try SettingArguments.configuration(SettingArguments.reader(settings))
    let (dryRun, json, rebuildIndex) = (dryRun, json, rebuildIndex)
    let progress = CleanupProgress()
    let report = try await CommandFailure.explained {
      try await ProgressLine.shown({ progress.line }) {
        try await CleanupProgress.$current.withValue(progress) {
          try await CleanupCommand(configuration).run(dryRun: dryRun, rebuildsIndex: rebuildIndex)
        }
      }
    }
    print(json ? try report.jsonLine() : report.sentence)
    if report.failures > 0 { throw ExitCode(1) }
  }
}
