import FoundationEssentials

/// A folder that is replaced as a whole: written beside, then exchanged, so that a reader never sees half of it.
package struct OutputFolder: Sendable {
  /// Why a folder is not written.
  package enum Refusal: Error, CustomStringConvertible {
    case foreign(String)
    case failed(String, String)

    package var description: String {
      switch self {
      case .foreign(let path):
        "\(path) was not made by deploy render (it has no \(OutputFolder.marker)): name another folder, or remove it yourself"
      case .failed(let path, let reason): "\(path): \(reason)"
      }
    }
  }

  /// The file that says that a folder is ours to replace.
  package static let marker = ".bashupload-render"

  private let path: String

  package init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// Replaces the folder if it is empty, absent, or our own.
  package func replace(with files: [RenderedFile]) throws(Refusal) {
    do {
      try check()
      let temporary = "\(path).new-\(UInt32.random(in: 0...UInt32.max))"
      defer { try? FileManager.default.removeItem(atPath: temporary) }
      let note = "This folder is replaced as a whole by bashupload deploy render.\n"
      for file in files + [RenderedFile(path: Self.marker, text: note)] {
        try Self.write(file, below: temporary)
      }
      try exchange(temporary)
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw .failed(path, "\(error)")
    }
  }

  private func check() throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let content = try FileManager.default.contentsOfDirectory(atPath: path)
    if !content.isEmpty, !content.contains(Self.marker) { throw Refusal.foreign(path) }
  }

  /// The old one is moved aside, not emptied: when the second step fails it comes back.
  private func exchange(_ temporary: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      return try FileManager.default.moveItem(atPath: temporary, toPath: path)
    }
    let old = "\(path).old-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.moveItem(atPath: path, toPath: old)
    do {
      try FileManager.default.moveItem(atPath: temporary, toPath: path)
    } catch {
      try FileManager.default.moveItem(atPath: old, toPath: path)
      throw error
    }
    try FileManager.default.removeItem(atPath: old)
  }

  private static func write(_ file: RenderedFile, below folder: String) throws {
    let path = "\(folder)/\(file.path)"
    let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try Data(file.text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: file.mode], ofItemAtPath: path)
  }
}
