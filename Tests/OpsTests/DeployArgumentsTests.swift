import Ops
import Testing

struct DeployArgumentsTests {
  private func message(_ words: String) -> String {
    do {
      _ = try DeployArguments.parse(words.split(separator: " ").map(String.init))
      return ""
    } catch {
      return error.description
    }
  }

  @Test func understandsEveryVerb() throws {
    for verb in DeployVerb.allCases {
      guard case .help(let page) = try DeployArguments.parse([verb.rawValue, "--help"]) else {
        Issue.record("no help for \(verb)")
        continue
      }
      #expect(page.contains("bashupload deploy \(verb.rawValue)"))
    }
    guard case .help(let text) = try DeployArguments.parse([]) else { return }
    for verb in DeployVerb.allCases { #expect(text.contains(" \(verb.rawValue) ")) }
  }

  @Test func readsOptions() throws {
    let words = ["render", "-f", "a.yaml", "--output=out", "--allow", "longhorn", "--allow=falco"]
    guard case .run(let arguments) = try DeployArguments.parse(words) else { return }
    #expect(arguments.file == "a.yaml")
    #expect(arguments.values["--output"] == "out")
    #expect(arguments.allowed == [.longhorn, .falco])
  }

  @Test(
    arguments: [
      ("plna", "did you mean plan? bashupload deploy --help lists the verbs"),
      ("plan --flie x", "did you mean --file?: see bashupload deploy plan --help"),
      ("plan --file", "--file needs a value, --file FILE"),
      ("plan --json=1", "--json takes no value"),
      ("plan extra", "takes no \"extra\""),
      ("render", "render needs --output DIR"),
      ("render --output a --allow longhron", "did you mean longhorn?"),
      ("render --output a --output b", "is given twice"),
      ("explain", "needs a key or a topic, or --list"),
      ("rollback seven", "is no generation"),
      ("apply --timeout 600", "write a time such as 90s or 10m"),
    ])
  func aWrongLineEndsInOneLine(_ words: String, _ says: String) {
    #expect(message(words).contains(says), "\(message(words))")
    #expect(!message(words).contains("\n"))
    #expect(message(words).contains("--help"))
  }
}
