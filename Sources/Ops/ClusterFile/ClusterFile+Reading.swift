extension ClusterFile {
  /// Reads a cluster file strictly: unknown, duplicate and missing keys, wrong types and units and contradictions are
  /// told all at once, in the order of the file.
  ///
  /// - Parameter file: its name, for messages.
  package init(parsing text: String, file: String) throws(ClusterFileProblems) {
    let (root, formProblems) = DocumentParser.parse(text)
    guard let root else { throw ClusterFileProblems(file: file, problems: formProblems) }
    var reader = SchemaReader()
    reader.read(root)
    self.init(reader.settings)
    var problems = formProblems + reader.problems
    // A contradiction with a value that is wrong itself is no news.
    let wrong = Set(problems.map(\.path))
    var contradictions = Contradictions(self, reader.settings)
    contradictions.find()
    problems += contradictions.found.filter { contradiction in
      !contradiction.between.contains { path in
        wrong.contains { $0 == path || $0.hasPrefix(path + ".") || path.hasPrefix($0 + ".") }
      }
    }.map(\.problem)
    if !problems.isEmpty {
      throw ClusterFileProblems(
        file: file, problems: problems.sorted { ($0.position, $0.path) < ($1.position, $1.path) })
    }
  }
}
