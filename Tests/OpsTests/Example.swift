import Foundation

import Ops

/// Cluster files for the tests.
enum Example {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()

  static func fixture(_ name: String) -> String {
    (try? String(contentsOf: folder.appending(path: "Fixtures").appending(path: name), encoding: .utf8)) ?? ""
  }

  /// Every section of the file, three edges at three providers.
  static let text = fixture("three-edges.yaml")

  /// The example with one text replaced by another, which has to be there.
  static func with(_ old: String, _ new: String) -> String {
    precondition(text.contains(old), "the example has no \(old)")
    return text.replacing(old, with: new)
  }

  /// The example with lines behind the last.
  static func adding(_ lines: String) -> String { text + lines + "\n" }

  /// `line:column path` of every problem, and the whole lines.
  static func problems(_ text: String) -> [Problem] {
    do {
      _ = try ClusterFile(parsing: text, file: "f")
      return []
    } catch {
      return error.problems
    }
  }
}
