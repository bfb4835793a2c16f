/// A file on a node.
package struct NodeFile: Hashable, Sendable {
  /// Absolute.
  package var path: String
  package var text: String
  /// Permission bits.
  package var mode: Int

  package init(_ path: String, mode: Int = 0o644, _ text: String) {
    self.path = path
    self.mode = mode
    self.text = text
  }

  init(_ path: String, mode: Int = 0o644, lines: [String]) {
    self.init(path, mode: mode, lines.joined(separator: "\n") + "\n")
  }

  /// The first line of every file that is ours, for whoever opens it on the node.
  static func header(_ what: String, comment: String = "#") -> String {
    "\(comment) \(what). Written by bashupload deploy from the cluster file: change that file, not this one."
  }
}
