import Foundation
import Ops
import Synchronization

/// What the real kustomize makes of a tree, once per tree: the stories build the same few over and over.
final class BuiltTrees: CommandRunner {
  static let shared = BuiltTrees()

  private let known = Mutex<[String: CommandResult]>([:])

  func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    let key = Self.content(of: invocation.arguments.last ?? "")
    if let result = known.withLock({ $0[key] }) { return result }
    let result = try await Self.run(invocation)
    known.withLock { $0[key] = result }
    return result
  }

  /// kubectl if it brings kustomize 4 or newer, else the kustomize program, which `make test-deps` puts into `.build/tools`.
  private static func run(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    let runner = LocalCommandRunner()
    let tools = Example.folder.appending(path: "../../.build/tools/bin/kustomize").standardizedFileURL.path
    do {
      let version = try await runner.run(Invocation("kubectl", ["version", "--client", "--output=json"]))
      if version.output.contains("\"kustomizeVersion\"") { return try await runner.run(invocation) }
    } catch CommandError.notFound {}
    let folder = invocation.arguments.last ?? ""
    do {
      return try await runner.run(Invocation("kustomize", ["build", folder]))
    } catch CommandError.notFound {
      return try await runner.run(Invocation(tools, ["build", folder]))
    }
  }

  private static func content(of folder: String) -> String {
    let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return paths.sorted().map { path in
      let data = FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data()
      return "\(path)\n\(String(decoding: data, as: UTF8.self))"
    }.joined(separator: "\n")
  }
}
