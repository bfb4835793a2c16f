/// A program with what it gets. Arguments are public on their machine and are printed; what is secret comes by `input`.
package struct Invocation: Hashable, Sendable {
  package var program: String
  package var arguments: [String]
  /// Added to the environment.
  package var environment: [String: String]
  /// Standard input; never printed.
  package var input: String?
  /// Seconds after which it is ended.
  package var deadline: Int

  package init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
    deadline: Int = 120
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.input = input
    self.deadline = deadline
  }

  /// As it would be typed.
  package var line: String {
    ([program] + arguments).map { word in
      word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,@+%".contains($0) } && !word.isEmpty
        ? word : "'\(word.replacing("'", with: "'\\''"))'"
    }.joined(separator: " ")
  }
}
