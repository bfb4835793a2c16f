import Crypto
import Foundation

/// What scripts bring to a node.
enum NodeFiles {
  /// The text of the last file of this path that names the node.
  static func sent(_ scripts: [String], to path: String, of node: String) -> String? {
    scripts.flatMap(all).last { $0.path == path && $0.text.contains("node-name: \(node)\n") }?.text
  }

  static func all(_ script: String) -> [(path: String, mode: String, text: String)] {
    script.components(separatedBy: "\nput '").dropFirst().compactMap { part in
      let halves = part.components(separatedBy: " <<'EOT'\n")
      let words = halves[0].components(separatedBy: "' ")
      guard halves.count > 1, words.count == 2,
        let data = Data(
          base64Encoded: halves[1].components(separatedBy: "\nEOT")[0], options: .ignoreUnknownCharacters)
      else { return nil }
      return (words[0], words[1], String(decoding: data, as: UTF8.self))
    }
  }

  /// Facts of a node that the scripts have made so.
  static func facts(after scripts: [String]) -> String {
    var lines: [String] = []
    for file in scripts.flatMap(all) {
      let sum = SHA256.hash(data: Data(file.text.utf8)).map { String(format: "%02x", $0) }.joined()
      lines += ["sum \(sum) \(file.path)", "mode \(file.mode) \(file.path)"]
    }
    for script in scripts {
      for line in script.split(separator: "\n") where line.hasPrefix("stamp ") { lines.append(String(line)) }
    }
    return lines.map { "\($0)\n" }.joined()
  }
}
