import FoundationEssentials

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
    for note in Advice.notes(file) { context.say("note: \(note)") }
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
    let files = try Rendering(file).files
    try OutputFolder(output).replace(with: files)
    context.say("\(output): \(files.count) files; kubectl kustomize \(output)/kubernetes shows the objects")
    return 0
  }
}
