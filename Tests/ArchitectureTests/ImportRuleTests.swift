import Foundation
import Testing

/// The import rule of docs/ARCHITECTURE.md: who may know whom.
struct ImportRuleTests {
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources")

  /// Our own modules that each module may import.
  private static let allowed: [String: Set<String>] = [
    "UploadCore": [],
    "R2Client": [],
    "Server": ["UploadCore", "R2Client"],
    "Ops": ["UploadCore"],
    "bashupload": ["Server", "Ops"],
  ]

  @Test(arguments: allowed.keys.sorted())
  func importsOnlyWhatItMay(_ module: String) throws {
    let ours = Set(Self.allowed.keys)
    let files = try Self.files(of: module)
    #expect(!files.isEmpty, "no sources under Sources/\(module)")
    for (file, imports) in files {
      let foreign = imports.intersection(ours).subtracting(Self.allowed[module] ?? []).subtracting([module])
      #expect(foreign.isEmpty, "\(file) imports \(foreign.sorted())")
    }
  }

  @Test func everyModuleHasARule() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
    #expect(Set(folders) == Set(Self.allowed.keys))
  }

  /// The rules have no clock, no randomness, no bytes of the outside world: nothing but the standard library.
  @Test func uploadCoreImportsNothing() throws {
    for (file, imports) in try Self.files(of: "UploadCore") {
      #expect(imports.isEmpty, "\(file) imports \(imports.sorted())")
    }
  }

  /// The client is a library of its own: it needs an HTTP client and hashes, and nothing else of ours or of others.
  @Test func r2ClientImportsOnlyTransport() throws {
    let allowed: Set = [
      "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "AsyncHTTPClient", "Crypto", "FoundationEssentials",
      "Synchronization",
      "Glibc", "Musl", "Darwin",
    ]
    for (file, imports) in try Self.files(of: "R2Client") {
      #expect(imports.isSubset(of: allowed), "\(file) imports \(imports.subtracting(allowed).sorted())")
    }
  }

  /// The index is SQLite's; it does not know how we are asked.
  @Test func indexAndLedgerDoNotKnowHTTP() throws {
    let folders = ["/Index/", "/Ledger/", "/Storage/", "/Cleanup/"]
    for (file, imports) in try Self.files(of: "Server") where folders.contains(where: { file.contains($0) }) {
      #expect(!imports.contains("NIOHTTP1"), "\(file) imports NIOHTTP1")
    }
  }

  private static func files(of module: String) throws -> [(file: String, imports: Set<String>)] {
    let folder = sources.appending(path: module)
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return try paths.filter { $0.hasSuffix(".swift") }.map { path in
      let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
      let imports = text.matches(of: #/^(?:[@\w()]+ )*import (?:\w+ )?(\w+)/#.anchorsMatchLineEndings()).map {
        String($0.1)
      }
      return ("/\(module)/\(path)", Set(imports))
    }
  }
}
