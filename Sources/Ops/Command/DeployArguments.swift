/// A command line that has been understood.
package struct DeployArguments: Hashable, Sendable {
  package var verb: DeployVerb
  /// Values by option name; of `--allow` see `allowed`.
  package var values: [String: String] = [:]
  package var flags: Set<String> = []
  package var allowed: Set<Feature> = []
  package var operand: String?

  package var file: String { values["--file"] ?? "bashupload.yaml" }

  /// Seconds.
  package var timeout: Int { values["--timeout"].flatMap { DurationText.seconds($0) }.map { Int($0) } ?? 600 }

  /// What `--only` chooses.
  package enum Part: Hashable, Sendable {
    case everything, nodes, kubernetes
    case node(String)

    var hasNodes: Bool { self != .kubernetes }
    var hasKubernetes: Bool { self == .everything || self == .kubernetes }
    var node: String? {
      if case .node(let name) = self { return name }
      return nil
    }
  }

  package var part: Part {
    switch values["--only"] {
    case nil: .everything
    case "nodes": .nodes
    case "kubernetes": .kubernetes
    case let text?: .node(String(text.dropFirst(5)))
    }
  }

  /// What a command line asks for.
  package enum Request: Hashable, Sendable {
    case run(DeployArguments)
    case help(String)
  }

  /// One line: what is wrong, and where the help is.
  package struct UsageError: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// - Parameter words: what stands after `bashupload deploy`.
  package static func parse(_ words: [String]) throws(UsageError) -> Request {
    guard let first = words.first, !["--help", "-h", "help"].contains(first) else {
      if words.count >= 2, let verb = DeployVerb(rawValue: words[1]) { return .help(DeployHelp.page(verb)) }
      return .help(DeployHelp.overview)
    }
    guard let verb = DeployVerb(rawValue: first) else {
      let hint =
        Spelling.nearest(to: first, of: DeployVerb.allCases.map(\.rawValue)).map { "did you mean \($0)? " } ?? ""
      throw UsageError(description: "deploy knows no \"\(first)\": \(hint)bashupload deploy --help lists the verbs")
    }
    var arguments = DeployArguments(verb: verb)
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      if word == "--help" || word == "-h" { return .help(DeployHelp.page(verb)) }
      try arguments.take(word, &rest)
    }
    try arguments.checkNeeded()
    return .run(arguments)
  }

  private func failure(_ text: String) -> UsageError {
    UsageError(description: "\(text): see bashupload deploy \(verb.rawValue) --help")
  }

  private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
    guard word.hasPrefix("-"), word != "-" else {
      if verb.operand == nil { throw failure("deploy \(verb.rawValue) takes no \"\(word)\"") }
      if let operand { throw failure("deploy \(verb.rawValue) takes one word, not \"\(operand)\" and \"\(word)\"") }
      operand = word
      return
    }
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = DeployOption.aliases[parts[0]] ?? parts[0]
    guard let option = verb.options.first(where: { $0.name == name }) else {
      let known = verb.options.map(\.name)
      let hint = Spelling.nearest(to: name, of: known).map { ", did you mean \($0)?" } ?? ""
      throw failure("deploy \(verb.rawValue) knows no option \(parts[0])\(hint)")
    }
    guard let placeholder = option.value else {
      if parts.count == 2 { throw failure("\(name) takes no value") }
      flags.insert(name)
      return
    }
    guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
      throw failure("\(name) needs a value, \(name) \(placeholder)")
    }
    try set(option, value)
  }

  private mutating func set(_ option: DeployOption, _ value: String) throws(UsageError) {
    switch option {
    case .allow:
      guard let feature = Feature(rawValue: value) else {
        throw failure(
          "--allow \(value): no such feature, \(Spelling.hint(value, of: Feature.allCases.map(\.rawValue)))")
      }
      allowed.insert(feature)
    case .timeout where DurationText.seconds(value).map { (1...86_400).contains($0) } != true:
      throw failure("--timeout \(value): write a time such as 90s or 10m")
    case .only where !["nodes", "kubernetes"].contains(value) && !(value.hasPrefix("node/") && value.count > 5):
      throw failure("--only \(value): write nodes, node/NAME or kubernetes")
    case .snapshot where !BackupScripts.isSnapshotName(value):
      throw failure("--snapshot \(value): write a name as k3s etcd-snapshot ls shows it, letters, digits, . _ and -")
    default:
      if values[option.name] != nil { throw failure("\(option.name) is given twice") }
      values[option.name] = value
    }
  }

  private func checkNeeded() throws(UsageError) {
    if verb == .render, values["--output"] == nil { throw failure("render needs --output DIR") }
    if verb == .backup, values["--output"] == nil { throw failure("backup needs --output DIR, a new folder") }
    if verb == .restore, values["--from"] == nil { throw failure("restore needs --from DIR, a folder of backup") }
    if [.drain, .undrain, .remove].contains(verb), operand == nil {
      throw failure("\(verb.rawValue) needs the name of a node")
    }
    if verb == .explain, operand == nil, !flags.contains("--list") {
      throw failure("explain needs a key or a topic, or --list")
    }
    if verb == .rotate, let operand, !["agents", "servers", "r2", "cloudflare"].contains(operand) {
      throw failure("rotate \(operand): write agents, servers, r2 or cloudflare")
    }
    if verb == .rollback, let operand, Int(operand).map({ $0 > 0 }) != true {
      throw failure("\"\(operand)\" is no generation: write its number")
    }
  }
}
