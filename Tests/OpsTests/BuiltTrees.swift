import Foundation
import Ops
import Synchronization

/// What the real `kubectl kustomize` makes of a tree, once per tree: the stories build the same few over and over.
final class BuiltTrees: Sendable {
  static let shared = BuiltTrees()

  private let known = Mutex<[String: CommandResult]>([:])

  func build(_ invocation: Invocation) async throws(CommandError) -> CommandResult {
    let key = Self.content(of: invocation.arguments.last ?? "")
    if let result = known.withLock({ $0[key] }) { return result }
    let result = try await LocalCommandRunner().run(invocation)
    known.withLock { $0[key] = result }
    return result
  }

  private static func content(of folder: String) -> String {
    let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return paths.sorted().map { path in
      let data = FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data()
      return "\(path)\n\(String(decoding: data, as: UTF8.self))"
    }.joined(separator: "\n")
  }
}
