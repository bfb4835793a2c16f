/// A file of a rendered folder.
package struct RenderedFile: Hashable, Sendable {
  /// Below the folder, with slashes.
  package var path: String
  package var text: String

  package init(path: String, text: String) {
    self.path = path
    self.text = text
  }
}
