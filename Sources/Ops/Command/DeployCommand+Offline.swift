import FoundationEssentials
import UploadCore

/// The verbs that need no cluster.
extension DeployCommand {
  func initialize(_ arguments: DeployArguments) throws -> Int32 {
    var values: [String: String] = [:]
    for (option, path) in [("--domain", "domain"), ("--cluster", "cluster")] {
      guard let value = arguments.values[option] else { continue }
      if case .scalar(let form)? = Schema.key(at: path)?.kind, let complaint = form.complaint(value) {
        throw Failure("\(option): \(complaint)")
      }
      values[path] = value
    }
    if FileManager.default.fileExists(atPath: arguments.file) {
      throw Failure("\(arguments.file) exists already and is not overwritten: --file names another")
    }
    do {
      try Data(StarterFile.text(values).utf8).write(to: URL(filePath: arguments.file), options: .withoutOverwriting)
    } catch {
      throw Failure("\(arguments.file) cannot be written: \(error)")
    }
    context.say("\(arguments.file): written; fill in your values, then: bashupload deploy check")
    return 0
  }

  func check(_ arguments: DeployArguments) throws -> Int32 {
    let file = try clusterFile(arguments)
    let counts = "\(file.nodes.count) nodes, \(file.edges.count) of them edges, \(file.features.enabled.count) features"
    context.say("\(arguments.file): right; \(file.domain), \(counts)")
    for note in Advice.notes(file, now: context.now()) { context.say("note: \(note)") }
    return 0
  }

  func explain(_ arguments: DeployArguments) throws -> Int32 {
    if arguments.flags.contains("--list") {
      context.say(String(Manual.list.dropLast()))
      return 0
    }
    let name = arguments.operand ?? ""
    guard let page = Manual.page(name) else { throw Failure("no key or topic \"\(name)\": \(Manual.hint(name))") }
    context.say(String(page.dropLast()))
    return 0
  }

  func render(_ arguments: DeployArguments) throws -> Int32 {
    let file = try clusterFile(arguments)
    let output = arguments.values["--output"] ?? ""
    let facts = try knownFacts(arguments, file)
    let trees = file.nodes.map { NodeTree($0, of: file, facts: facts) }
    let files = try Rendering(file).files + trees.flatMap(\.rendered)
    try OutputFolder(output).replace(with: files)
    for line in trees.compactMap(\.complaint) { context.complain(line) }
    context.say(
      "\(output): \(files.count) files; kubectl kustomize \(output)/kubernetes shows the objects, "
        + "\(output)/nodes has the files of \(trees.count) nodes")
    return 0
  }

  private func knownFacts(_ arguments: DeployArguments, _ file: ClusterFile) throws -> KnownFacts {
    guard let path = arguments.values["--facts"] else { return KnownFacts() }
    guard let data = FileManager.default.contents(atPath: path), let text = SettingText.decoded(data)
    else { throw Failure("--facts \(path) cannot be read as text in UTF-8") }
    return try FactsFile.parse(text, file: path, nodes: file.nodes.map(\.name))
  }
}
