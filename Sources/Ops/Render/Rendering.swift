/// What `deploy render` writes: the tree's folders that the cluster file uses, and the overlay as their root.
package struct Rendering: Sendable {
  /// The tree has no such folder.
  package struct MissingFolder: Error, CustomStringConvertible {
    package var name: String
    package var description: String { "this version of bashupload carries no \(name)" }
  }

  /// Below the output folder; `nodes/<name>/…` has its place beside `kubernetes`.
  package var files: [RenderedFile]

  package init(_ file: ClusterFile) throws(MissingFolder) {
    let overlay = Overlay(file)
    files = overlay.files
    for folder in overlay.folders {
      let content = KubernetesTree.folder(folder)
      if content.isEmpty { throw MissingFolder(name: folder) }
      files += content
    }
    files = files.map { RenderedFile(path: "kubernetes/\($0.path)", text: $0.text) }.sorted { $0.path < $1.path }
  }
}
