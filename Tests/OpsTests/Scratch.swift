import Foundation

/// A folder of a test.
struct Scratch {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "ops-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { name.isEmpty ? folder.path : folder.appending(path: name).path }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
