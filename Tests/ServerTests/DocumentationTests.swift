import Foundation
import Server
import Testing

struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The table of settings in the README is the list in the code, word for word.
  @Test func readmeHasEverySetting() throws {
    let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    for setting in Setting.all {
      let standard = setting.standard.isEmpty ? "" : "`\(setting.standard)`"
      #expect(readme.contains("| `\(setting.name)` | \(standard) | \(setting.help) |\n"), "\(setting.name)")
    }
    let rows = readme.split(separator: "\n").count { $0.hasPrefix("| `") }
    #expect(rows == Setting.all.count)
  }

  @Test func settingsAreListedOnce() {
    #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
  }
}
