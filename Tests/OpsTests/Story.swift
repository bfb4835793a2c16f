import Foundation
import Ops
import Synchronization

/// An operator at a terminal in front of a fake cluster.
final class Story: Sendable {
  let cluster = FakeCluster()
  let scratch: Scratch
  private let lines = Mutex<[String]>([])
  private let clock = Mutex(0)
  private let sleepsUntilInterrupted = Mutex<Int?>(nil)
  private let variables: Mutex<[String: String]>

  static let planted = [
    "R2_ACCESS_KEY_ID": "planted-access-key-1", "R2_SECRET_ACCESS_KEY": "planted-secret-key-2",
    "BASHUPLOAD_PASSWORD": "planted-password-3", "CLOUDFLARE_CERT_TOKEN": "planted-token-4",
    "CLOUDFLARE_DNS_TOKEN": "planted-token-5",
  ]

  init(_ file: String = Example.text) throws {
    scratch = try Scratch()
    variables = Mutex(Self.planted)
    try write(file)
    cluster.state.withLock { state in
      state.unknownKinds = ["Certificate", "ClusterIssuer"]
      state.addNode("cp-1", role: "control")
      for edge in ["edge-1", "edge-2", "edge-3"] { state.addNode(edge, role: "edge") }
    }
  }

  func write(_ file: String) throws {
    try Data(file.utf8).write(to: URL(filePath: scratch.path("bashupload.yaml")))
  }

  func set(_ name: String, _ value: String?) { variables.withLock { $0[name] = value } }

  /// Somebody presses Ctrl-C in the nth wait of what comes.
  func interrupt(inSleep number: Int) { sleepsUntilInterrupted.withLock { $0 = number } }

  private func sleep(_ seconds: Int) throws {
    clock.withLock { $0 += seconds }
    let isNow = sleepsUntilInterrupted.withLock { count in
      count = count.map { $0 - 1 }
      return count == 0
    }
    if isNow { withUnsafeCurrentTask { $0?.cancel() } }
    try Task.checkCancellation()
  }

  /// - Returns: exit status, and what was printed by this command.
  func deploy(_ words: String...) async -> (status: Int32, text: String) { await run(words) }

  /// These stories are about what runs in Kubernetes, unless they say otherwise.
  func run(_ words: [String], withNodes: Bool = false) async -> (status: Int32, text: String) {
    let start = lines.withLock { $0.count }
    let context = DeployContext(
      say: { self.add($0) }, complain: { self.add($0) }, ask: { _ in nil }, isTerminal: false,
      variables: variables.withLock { $0 }, runner: cluster, uptime: { self.clock.withLock { $0 } },
      now: { 1_795_348_800 + self.clock.withLock { $0 } },
      sleep: { try self.sleep($0) }, operatorName: "ops@desk")
    let isWhole = withNodes || !["plan", "apply", "status"].contains(words.first) || words.contains("--only")
    let only = isWhole ? [] : ["--only", "kubernetes"]
    let status = await DeployCommand(context).run(words + only + ["--file", scratch.path("bashupload.yaml")])
    return (status, lines.withLock { $0.dropFirst(start).joined(separator: "\n") })
  }

  var everythingPrinted: String { lines.withLock { $0.joined(separator: "\n") } }

  private func add(_ line: String) { lines.withLock { $0.append(line) } }
}
