/// A file of a rendered folder.
package struct RenderedFile: Hashable, Sendable {
  /// Below the folder, with slashes.
  package var path: String
  package var text: String
  /// Permission bits.
  package var mode: Int

  package init(path: String, text: String, mode: Int = 0o644) {
    self.path = path
    self.text = text
    self.mode = mode
  }
}
