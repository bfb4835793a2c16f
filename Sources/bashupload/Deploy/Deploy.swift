import ArgumentParser
import Ops

/// `bashupload deploy`
struct Deploy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the service on public servers (not part of this version).")

  @Argument(help: "\(DeployVerb.allCases.map(\.rawValue).joined(separator: ", "))")
  var verb: String

  @Argument(parsing: .allUnrecognized, help: .hidden)
  var rest: [String] = []

  func run() throws {
    guard let verb = DeployVerb(rawValue: verb) else {
      throw ValidationError(
        "deploy knows no \"\(verb)\"; use one of: \(DeployVerb.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    CommandFailure.complain(verb.notManagedYet)
    throw ExitCode(1)
  }
}
