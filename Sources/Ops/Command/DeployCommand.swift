import FoundationEssentials
import UploadCore

/// `bashupload deploy`: understands the words, runs the verb, and says in one exit status how it went.
package struct DeployCommand: Sendable {
  /// A verb that ends with words for the operator and exit status 1.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
      self.description = description
    }
  }

  let context: DeployContext

  package init(_ context: DeployContext) {
    self.context = context
  }

  /// - Returns: the exit status: 0 done, 1 something is wrong, 2 `plan` found changes, 64 the command line is wrong.
  package func run(_ words: [String]) async -> Int32 {
    do {
      switch try DeployArguments.parse(words) {
      case .help(let text):
        context.say(String(text.dropLast()))
        return 0
      case .run(let arguments):
        return try await run(arguments)
      }
    } catch let error as DeployArguments.UsageError {
      context.complain(error.description)
      return 64
    } catch {
      // Programs that were ended halfway fail in words of their own.
      let isInterrupted = Task.isCancelled || error is CancellationError
      context.complain(
        isInterrupted ? "interrupted: run the same command again, it goes on where this one stopped" : "\(error)")
      return 1
    }
  }

  private func run(_ arguments: DeployArguments) async throws -> Int32 {
    if arguments.flags.contains("--print-commands") {
      var context = context
      var arguments = arguments
      context.runner = PrintingCommandRunner(context.runner, show: context.complain)
      arguments.flags.remove("--print-commands")
      return try await DeployCommand(context).run(arguments)
    }
    if context.variables["KUBECONFIG"] == nil, let file = try? clusterFile(arguments) {
      return try await withKubeconfig(file).perform(arguments)
    }
    return try await perform(arguments)
  }

  private func perform(_ arguments: DeployArguments) async throws -> Int32 {
    if arguments.verb.isNotManagedYet {
      throw Failure("deploy \(arguments.verb.rawValue): not managed yet by this version")
    }
    switch arguments.verb {
    case .initialize: return try initialize(arguments)
    case .check: return try check(arguments)
    case .explain: return try explain(arguments)
    case .render: return try render(arguments)
    case .plan: return try await plan(arguments)
    case .apply: return try await apply(arguments)
    case .verify: return try await verified(await present(try clusterFile(arguments)), arguments) ? 0 : 1
    case .status: return try await status(arguments)
    case .rollback: return try await rollback(arguments)
    case .doctor: return try await doctor(arguments)
    case .destroy: return try await destroy(arguments)
    case .drain: return try await drain(arguments)
    case .undrain: return try await undrain(arguments)
    case .upgrade: return try await upgrade(arguments)
    case .reboot: return try await reboot(arguments)
    case .backup: return try await backup(arguments)
    case .restore: return try await restore(arguments)
    case .rotate: return try await rotate(arguments)
    case .remove: return try await remove(arguments)
    case .watch: return 1
    }
  }

  /// The cluster file, valid and without refused features.
  func clusterFile(_ arguments: DeployArguments) throws -> ClusterFile {
    let file = try ClusterFile(parsing: try text(of: arguments.file), file: arguments.file)
    let refusals = file.refusals(allowing: arguments.allowed)
    if !refusals.isEmpty {
      throw Failure(refusals.map { "\(arguments.file):\($0.position): \($0)" }.joined(separator: "\n"))
    }
    return file
  }

  private func text(of path: String) throws(Failure) -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure("\(path) does not exist: bashupload deploy init writes one, --file names another")
    }
    guard let data = FileManager.default.contents(atPath: path), let text = SettingText.decoded(data)
    else {
      throw Failure("\(path) cannot be read as text in UTF-8")
    }
    return text
  }
}
